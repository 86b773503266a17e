/**
 * The part of ECMAScript's regular expressions that schemas may use, as a tree. What has no place in it (references to
 * groups, looking ahead or behind, word boundaries, lazy repeats) is refused: each makes matching hard to bound.
 */
import {
  complementOf,
  DIGITS,
  EVERY_CHAR,
  LINE_CHARS,
  oneChar,
  SPACES,
  unionOf,
  WORD_CHARS,
  type CharSet,
} from "./char-set.ts";

export type PatternNode =
  | { readonly kind: "char"; readonly set: CharSet; /** Of one character alone. */ readonly literal: string | null }
  | { readonly kind: "sequence"; readonly parts: readonly PatternNode[] }
  | { readonly kind: "choice"; readonly branches: readonly PatternNode[] }
  | { readonly kind: "repeat"; readonly of: PatternNode; readonly min: number; readonly max: number };

export interface PatternTree {
  readonly root: PatternNode;
  /** It matches from the text's first character, or not at all. */
  readonly isAnchored: boolean;
}

/** Throws `PatternSyntaxError` with a sentence for what it does not take. `source` is valid with the flag `u`. */
export function parsePattern(source: string): PatternTree {
  const isAnchored = source.startsWith("^");
  const inner = source.slice(isAnchored ? 1 : 0, endsAnchored(source) ? -1 : undefined);
  const isBound = isAnchored || inner.length < source.length;
  const parser = new PatternParser(inner);
  const root = parser.parse();
  if (isBound && root.kind === "choice")
    throw new PatternSyntaxError("Alternatives beside ^ or $ stand in a group, as in ^(a|b)$.");
  return { root, isAnchored };
}

export class PatternSyntaxError extends Error {}

const endsAnchored = (source: string): boolean => /(?<!\\)(?:\\\\)*\$$/.test(source);

class PatternParser {
  readonly #chars: readonly string[];
  #at = 0;

  constructor(source: string) {
    this.#chars = [...source];
  }

  parse(): PatternNode {
    const root = this.#choice();
    if (this.#at < this.#chars.length) throw new PatternSyntaxError("A group of the pattern ends nowhere.");
    return root;
  }

  #peek(): string | undefined {
    return this.#chars[this.#at];
  }

  #take(): string {
    this.#at += 1;
    return this.#chars[this.#at - 1] ?? "";
  }

  #isNext(text: string): boolean {
    if (
      !this.#chars
        .slice(this.#at, this.#at + text.length)
        .join("")
        .startsWith(text)
    )
      return false;
    this.#at += text.length;
    return true;
  }

  #choice(): PatternNode {
    const branches = [this.#sequence()];
    while (this.#isNext("|")) branches.push(this.#sequence());
    return branches.length === 1 ? branches[0]! : { kind: "choice", branches };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek())
      parts.push(this.#repeated(this.#atom()));
    return parts.length === 1 ? parts[0]! : { kind: "sequence", parts };
  }

  #repeated(of: PatternNode): PatternNode {
    const bounds = this.#bounds();
    if (bounds === null) return of;
    if (this.#isNext("?")) throw new PatternSyntaxError("A pattern has no lazy repeats: they match the same texts.");
    return { kind: "repeat", of, ...bounds };
  }

  #bounds(): { min: number; max: number } | null {
    if (this.#isNext("*")) return { min: 0, max: Infinity };
    if (this.#isNext("+")) return { min: 1, max: Infinity };
    if (this.#isNext("?")) return { min: 0, max: 1 };
    if (!this.#isNext("{")) return null;
    let text = "";
    while (this.#peek() !== "}") text += this.#take();
    this.#take();
    const [min, max] = text.split(",");
    return { min: Number(min), max: max === undefined ? Number(min) : max === "" ? Infinity : Number(max) };
  }

  #atom(): PatternNode {
    const char = this.#take();
    if (char === "(") return this.#group();
    if (char === "[") return { kind: "char", set: this.#class(), literal: null };
    if (char === ".") return { kind: "char", set: LINE_CHARS, literal: null };
    if (char === "\\") return this.#escape();
    if (char === "^" || char === "$")
      throw new PatternSyntaxError("^ stands only at a pattern's beginning, and $ at its end.");
    return { kind: "char", set: oneChar(char.codePointAt(0)!), literal: char };
  }

  #group(): PatternNode {
    if (!this.#isNext("?:") && this.#peek() === "?")
      throw new PatternSyntaxError("A pattern has plain groups only: no looking around, no names.");
    const inner = this.#choice();
    if (!this.#isNext(")")) throw new PatternSyntaxError("A group of the pattern ends nowhere.");
    return { kind: "sequence", parts: [inner] }; // Told apart from alternatives without a group.
  }

  #escape(): PatternNode {
    if (/[1-9bBk]/.test(this.#peek() ?? ""))
      throw new PatternSyntaxError("A pattern has no references to groups and no word boundaries.");
    const { set, isExact } = this.#escapedSet();
    const literal = isExact && set.length === 1 && set[0]![0] === set[0]![1] ? String.fromCodePoint(set[0]![0]) : null;
    return { kind: "char", set, literal };
  }

  /** Inexact where it is said by a Unicode property: the set then holds more than it stands for. */
  #escapedSet(): { readonly set: CharSet; readonly isExact: boolean } {
    const letter = this.#take();
    const named = ESCAPED_SETS.get(letter);
    if (named !== undefined) return { set: named, isExact: true };
    if (letter === "p" || letter === "P") {
      while (this.#take() !== "}");
      return { set: EVERY_CHAR, isExact: false };
    }
    return { set: oneChar(this.#escapedChar(letter)), isExact: true };
  }

  #escapedChar(letter: string): number {
    const named = ESCAPED_CHARS.get(letter);
    if (named !== undefined) return named;
    if (letter === "c") return this.#take().codePointAt(0)! % 32;
    if (letter === "x") return this.#hex(2);
    if (letter !== "u") return letter.codePointAt(0)!;
    if (!this.#isNext("{")) return this.#hex(4);
    let digits = "";
    while (this.#peek() !== "}") digits += this.#take();
    this.#take();
    return Number.parseInt(digits, 16);
  }

  #hex(count: number): number {
    const digits = this.#chars.slice(this.#at, this.#at + count).join("");
    this.#at += count;
    const unit = Number.parseInt(digits, 16);
    if (unit >= 0xd800 && unit <= 0xdfff)
      throw new PatternSyntaxError("Characters beyond U+FFFF are written as they are, or as \\u{…}.");
    return unit;
  }

  #class(): CharSet {
    const isNegated = this.#isNext("^");
    const sets: CharSet[] = [];
    let isExact = true;
    while (!this.#isNext("]")) {
      const first = this.#classMember();
      isExact &&= first.isExact;
      const isRange = this.#peek() === "-" && this.#chars[this.#at + 1] !== "]";
      if (!isRange) sets.push(first.set);
      else {
        this.#take();
        const last = this.#classMember();
        sets.push([[first.set[0]![0], last.set[0]![1]]]);
      }
    }
    if (isNegated && !isExact) return EVERY_CHAR;
    const set = unionOf(sets);
    return isNegated ? complementOf(set) : set;
  }

  #classMember(): { readonly set: CharSet; readonly isExact: boolean } {
    const char = this.#take();
    if (char !== "\\") return { set: oneChar(char.codePointAt(0)!), isExact: true };
    if (this.#isNext("b")) return { set: oneChar(0x08), isExact: true };
    return this.#escapedSet();
  }
}

const ESCAPED_SETS: ReadonlyMap<string, CharSet> = new Map([
  ["d", DIGITS],
  ["D", complementOf(DIGITS)],
  ["w", WORD_CHARS],
  ["W", complementOf(WORD_CHARS)],
  ["s", SPACES],
  ["S", complementOf(SPACES)],
]);

const ESCAPED_CHARS: ReadonlyMap<string, number> = new Map([
  ["t", 0x09],
  ["n", 0x0a],
  ["v", 0x0b],
  ["f", 0x0c],
  ["r", 0x0d],
  ["0", 0x00],
]);
