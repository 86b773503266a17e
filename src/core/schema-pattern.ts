/**
 * Which patterns a schema may have: those that the runtime's backtracking matches in time linear in the text. A pattern
 * is taken when it is deterministic in the strong sense (Brüggemann-Klein and Wood, "One-unambiguous regular
 * languages"): at every step one look at the next character tells how to go on, so that going back finds nothing.
 */
import { unionOf, type CharSet } from "./char-set.ts";
import { LIMITS } from "./limits.ts";
import { parsePattern, PatternSyntaxError, type PatternNode } from "./pattern-syntax.ts";

/** What is wrong with the pattern, for people; null when nothing is. */
export function patternProblem(source: string): string | null {
  if (source.length > LIMITS.SCHEMA_PATTERN_CHARS_MAX)
    return `A pattern has at most ${LIMITS.SCHEMA_PATTERN_CHARS_MAX} characters.`;
  if (!isRegExp(source)) return "This is not a regular expression (ECMA-262, with the flag u).";
  try {
    const { root, isAnchored } = parsePattern(source);
    const automaton = new Automaton();
    const piece = automaton.build(root);
    if (automaton.isEndless && !isAnchored) return "A pattern with *, + or {n,} begins with ^.";
    return automaton.isDeterministic(piece) ? null : AMBIGUOUS;
  } catch (error) {
    if (error instanceof PatternSyntaxError) return error.message;
    throw error;
  }
}

/**
 * Looks that a match takes at each character at most: a pattern that is not anchored begins anew at each, and of words
 * that are alternatives each may be tried.
 */
export function patternCost(source: string): number {
  const { root, isAnchored } = parsePattern(source);
  if (isAnchored) return source.split("|").length;
  const automaton = new Automaton();
  automaton.build(root);
  return Math.max(source.length, automaton.steps);
}

function isRegExp(source: string): boolean {
  try {
    return new RegExp(source, "u").unicode;
  } catch {
    return false;
  }
}

const AMBIGUOUS =
  "One look at the next character must tell how a pattern goes on. This one leaves two ways open, and could take long.";

const TOO_MANY_STEPS = new PatternSyntaxError(
  `A pattern, its repeats written out, has at most ${LIMITS.SCHEMA_PATTERN_STEPS_MAX} steps.`,
);

/** A part of the pattern: where it may begin and end, and whether it may be empty. */
interface Piece {
  readonly isNullable: boolean;
  readonly first: readonly Position[];
  readonly last: readonly Position[];
}

/** One place of the pattern that takes a character, with those that may come right behind it. */
interface Position {
  readonly set: CharSet;
  readonly next: Set<Position>;
}

const NOTHING: Piece = { isNullable: true, first: [], last: [] };

/** Glushkov's automaton of the pattern: a state a position. */
class Automaton {
  isEndless = false;
  readonly #positions: Position[] = [];
  #isAmbiguous = false;
  #built = 0;

  get steps(): number {
    return this.#positions.length;
  }

  isDeterministic({ first }: Piece): boolean {
    return !this.#isAmbiguous && [first, ...this.#positions.map(({ next }) => [...next])].every(excludeEachOther);
  }

  build(node: PatternNode): Piece {
    this.#built += 1;
    if (this.#built > 4 * LIMITS.SCHEMA_PATTERN_STEPS_MAX) throw TOO_MANY_STEPS; // Repeats of nothing have no steps.
    switch (node.kind) {
      case "char":
        return this.#position(node.set);
      case "sequence":
        return node.parts.map((part) => this.build(part)).reduce((left, right) => this.#join(left, right), NOTHING);
      case "choice":
        return this.#choice(node.branches);
      case "repeat":
        return this.#repeat(node.of, node.min, node.max);
    }
  }

  #position(set: CharSet): Piece {
    const position = { set, next: new Set<Position>() };
    this.#positions.push(position);
    if (this.#positions.length > LIMITS.SCHEMA_PATTERN_STEPS_MAX) throw TOO_MANY_STEPS;
    return { isNullable: false, first: [position], last: [position] };
  }

  #join(left: Piece, right: Piece): Piece {
    this.#connect(left.last, right.first);
    return {
      isNullable: left.isNullable && right.isNullable,
      first: left.isNullable ? [...left.first, ...right.first] : left.first,
      last: right.isNullable ? [...left.last, ...right.last] : right.last,
    };
  }

  /** Words of which none begins another are one step: at any place one of them at most is there. */
  #choice(branches: readonly PatternNode[]): Piece {
    const words = branches.map(wordOf);
    if (isPrefixFree(words)) {
      const firsts = words.map((word): CharSet => [[word.codePointAt(0)!, word.codePointAt(0)!]]);
      return this.#position(unionOf(firsts));
    }
    const pieces = branches.map((branch) => this.build(branch));
    if (pieces.filter(({ isNullable }) => isNullable).length > 1) this.#isAmbiguous = true;
    return {
      isNullable: pieces.some(({ isNullable }) => isNullable),
      first: pieces.flatMap(({ first }) => first),
      last: pieces.flatMap(({ last }) => last),
    };
  }

  /** `x{2,4}` is `xx(x(x)?)?`, and `x{2,}` is `xx*` with one more `x` before. */
  #repeat(of: PatternNode, min: number, max: number): Piece {
    if (max === 0) return NOTHING;
    if (Math.max(min, max === Infinity ? 0 : max) > LIMITS.SCHEMA_PATTERN_STEPS_MAX) throw TOO_MANY_STEPS;
    if (max === Infinity) {
      const head = Array.from({ length: Math.max(0, min - 1) }, () => this.build(of));
      return [...head, this.#loop(this.build(of), min === 0)].reduce((left, right) => this.#join(left, right), NOTHING);
    }
    let tail: Piece = NOTHING;
    for (let index = 0; index < max - min; index += 1) tail = this.#optional(this.#join(this.build(of), tail));
    const head = Array.from({ length: min }, () => this.build(of));
    return [...head, tail].reduce((left, right) => this.#join(left, right), NOTHING);
  }

  #optional(piece: Piece): Piece {
    if (piece.isNullable) this.#isAmbiguous = true; // Empty in two ways.
    return { ...piece, isNullable: true };
  }

  #loop(piece: Piece, mayBeAbsent: boolean): Piece {
    this.isEndless = true;
    if (piece.isNullable) this.#isAmbiguous = true;
    this.#connect(piece.last, piece.first);
    return { ...piece, isNullable: mayBeAbsent };
  }

  /** A step that is there already is there in two ways, as in `(a+)+`. */
  #connect(from: readonly Position[], to: readonly Position[]): void {
    for (const { next } of from) {
      for (const position of to) {
        if (next.has(position)) this.#isAmbiguous = true;
        next.add(position);
      }
    }
  }
}

function excludeEachOther(positions: readonly Position[]): boolean {
  const ranges = positions.flatMap(({ set }) => set).toSorted(([left], [right]) => left - right);
  return ranges.every(([first], index) => index === 0 || ranges[index - 1]![1] < first);
}

/** The one text that the node matches; empty for any other. */
function wordOf(node: PatternNode): string {
  if (node.kind === "char") return node.literal ?? "";
  if (node.kind !== "sequence") return "";
  const letters = node.parts.map(wordOf);
  return letters.every((letter) => letter !== "") ? letters.join("") : "";
}

const isPrefixFree = (words: readonly string[]): boolean =>
  words.every((word, index) => word !== "" && words.every((other, at) => at === index || !other.startsWith(word)));
