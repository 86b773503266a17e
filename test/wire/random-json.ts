/** JSON text in every spelling that the grammar allows. */

/** Printed in the title of each test that uses chance; set SEED to run it again. */
export const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

export const pick = <T>(random: () => number, choices: readonly T[]): T =>
  choices[Math.floor(random() * choices.length)]!;

const NUMBERS = ["0", "-0", "1.0", "1e999", "-1E-7", "12345678901234567890", "0.1000000000000000055511", "7"];
const PIECES = [
  "a",
  " ",
  "  ",
  ":",
  ",",
  "{",
  "}",
  "[",
  "]",
  "é",
  "😀",
  "\u2028",
  '\\"',
  "\\\\",
  "\\n",
  "\\/",
  "\\u0000",
  "\\u00e9",
  "\\ud83d\\ude00",
  "\\uD83D\\uDE00",
  "\\\\ud800",
  "<",
  "日本",
];

const many = <T>(random: () => number, max: number, make: () => T): T[] =>
  Array.from({ length: Math.floor(random() * (max + 1)) }, make);

export const randomString = (random: () => number): string =>
  `"${many(random, 8, () => pick(random, PIECES)).join("")}"`;

/**
 * Without a backslash of its own: V8 13.6, once it has parsed a member named by one backslash, now and then reads the
 * name `"\\""` as that one, and then JSON.parse is no judge.
 */
const NAME_PIECES = PIECES.filter((piece) => !piece.startsWith("\\\\"));
const randomName = (random: () => number): string => `"${many(random, 8, () => pick(random, NAME_PIECES)).join("")}"`;

interface RandomJson {
  readonly text: string;
  /** The very same without the whitespace between its tokens. */
  readonly tight: string;
  /** Members of all objects in it. */
  readonly keys: number;
  readonly depth: number;
}

/** JSON text with whitespace by chance; `space` is its likelihood. */
export function randomJson(random: () => number, depth: number, space: number): RandomJson {
  const gap = (): string => (random() < space ? pick(random, [" ", "\n", "\t", "\r\n", "   "]) : "");
  const kind = depth === 0 ? Math.floor(random() * 3) : Math.floor(random() * 6);
  if (kind === 0) return scalar(pick(random, NUMBERS));
  if (kind === 1) return scalar(randomString(random));
  if (kind === 2) return scalar(pick(random, ["true", "false", "null"]));
  const isList = kind === 3;
  const parts = many(random, 5, () => {
    const { text, tight, ...inner } = randomJson(random, depth - 1, space);
    if (isList) return { text: gap() + text + gap(), tight, ...inner };
    const name = randomName(random);
    const spaced = `${gap()}${name}${gap()}:${gap()}${text}${gap()}`;
    return { text: spaced, tight: `${name}:${tight}`, depth: inner.depth, keys: inner.keys + 1 };
  });
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  return {
    text: open + (parts.length === 0 ? gap() : parts.map((part) => part.text).join(",")) + close,
    tight: open + parts.map((part) => part.tight).join(",") + close,
    keys: parts.reduce((sum, part) => sum + part.keys, 0),
    depth: 1 + Math.max(0, ...parts.map((part) => part.depth)),
  };
}

const scalar = (text: string): RandomJson => ({ text, tight: text, keys: 0, depth: 0 });
