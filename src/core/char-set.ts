/** Sets of characters, as ranges of code points in order: what a step of a pattern takes. */
export type CharSet = readonly (readonly [first: number, last: number])[];

const LAST = 0x10ffff;
const code = (char: string): number => char.codePointAt(0)!;
const range = (first: string, last: string): readonly [number, number] => [code(first), code(last)];

export const DIGITS: CharSet = [range("0", "9")];
export const WORD_CHARS: CharSet = [range("0", "9"), range("A", "Z"), range("_", "_"), range("a", "z")];
// ECMAScript's WhiteSpace and LineTerminator.
export const SPACES: CharSet = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];
export const EVERY_CHAR: CharSet = [[0, LAST]];
const LINE_ENDS: CharSet = [
  [0x0a, 0x0a],
  [0x0d, 0x0d],
  [0x2028, 0x2029],
];

export const oneChar = (char: number): CharSet => [[char, char]];

export function unionOf(sets: readonly CharSet[]): CharSet {
  const ranges = sets.flat().toSorted(([left], [right]) => left - right);
  const joined: [number, number][] = [];
  for (const [first, last] of ranges) {
    const before = joined.at(-1);
    if (before !== undefined && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

/** `set` is in order and without overlaps, as `unionOf` makes it. */
export function complementOf(set: CharSet): CharSet {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [first, last] of set) {
    if (first > next) gaps.push([next, first - 1]);
    next = last + 1;
  }
  if (next <= LAST) gaps.push([next, LAST]);
  return gaps;
}

export const LINE_CHARS: CharSet = complementOf(LINE_ENDS);
