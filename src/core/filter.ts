/**
 * The filter at work: a pattern compiled once, and matched against parsed events in time bounded by the pattern times
 * the event. A member's value may be a list: then one of its elements must match, and members of one nested object must
 * match in the same element.
 */
import { asksForAbsence, testOf, type ValueTest } from "./filter-operators.ts";
import type { FilterLeaf, FilterLiteral, FilterOperator, FilterPattern } from "./filter-pattern.ts";

export interface Filter {
  /** What a log can decide without parsing; null: it does not restrict. */
  readonly types: readonly string[] | null;
  readonly keys: readonly string[] | null;
  /** False when `types` and `keys` say it all. */
  readonly readsContent: boolean;
  /** `event` is the parsed line. */
  matches(event: unknown): boolean;
}

export const MATCH_ALL: Filter = { types: null, keys: null, readsContent: false, matches: () => true };

/** `pattern` has passed `parseFilter`. Its `key` is another name for `partitionkey`. */
export function compileFilter(pattern: FilterPattern | null): Filter {
  if (pattern === null) return MATCH_ALL;
  const full = withPartitionKey(pattern);
  const names = Object.keys(full);
  const test = compileObject(full, []);
  return {
    types: stringsOf(full["type"]),
    keys: stringsOf(full["partitionkey"]),
    readsContent: names.some((name) => (name !== "type" && name !== "partitionkey") || stringsOf(full[name]) === null),
    matches: (event) => test(event, new Absences(event)),
  };
}

/** Also in the alternatives of `$or`, which speak of the event itself. */
function withPartitionKey({ key, ...rest }: FilterPattern): FilterPattern {
  const alternatives = rest["$or"] as readonly FilterPattern[] | undefined;
  return {
    ...rest,
    ...(key !== undefined && { partitionkey: key }),
    ...(alternatives !== undefined && { $or: alternatives.map(withPartitionKey) }),
  };
}

const stringsOf = (leaf: FilterPattern[string] | undefined): readonly string[] | null =>
  Array.isArray(leaf) && leaf.every((value) => typeof value === "string") ? (leaf as string[]) : null;

/** Decides on what stands at a place of the event. */
type PlaceTest = (value: unknown, absences: Absences) => boolean;

/**
 * Which members of one event are absent: no value stands at the path, in any element of any list on the way. Found once
 * for a path, however many elements ask.
 */
class Absences {
  readonly #event: unknown;
  readonly #known = new Map<readonly string[], boolean>();

  constructor(event: unknown) {
    this.#event = event;
  }

  has(path: readonly string[]): boolean {
    const known = this.#known.get(path) ?? this.#look(path);
    this.#known.set(path, known);
    return known;
  }

  #look(path: readonly string[]): boolean {
    let places: readonly unknown[] = [this.#event];
    for (const name of path) places = places.flatMap(itemsOf).map((place) => memberOf(place, name));
    return places.every((place) => valuesOf(place).length === 0);
  }
}

function compileObject(pattern: FilterPattern, path: readonly string[]): PlaceTest {
  const members = Object.entries(pattern).map(([name, expected]) => compileMember(name, expected, path));
  const matchesOne: PlaceTest = (value, absences) => members.every((test) => test(value, absences));
  return (value, absences) => {
    if (!Array.isArray(value)) return matchesOne(value, absences);
    const objects = value.flat(Infinity).filter(isObject);
    return objects.length === 0 ? matchesOne(undefined, absences) : objects.some((item) => matchesOne(item, absences));
  };
}

function compileMember(name: string, expected: FilterPattern[string], path: readonly string[]): PlaceTest {
  if (name === "$or") {
    const alternatives = (expected as readonly FilterPattern[]).map((pattern) => compileObject(pattern, path));
    return (value, absences) => alternatives.some((test) => test(value, absences));
  }
  const here = [...path, name];
  const test = Array.isArray(expected) ? compileLeaf(expected, here) : compileObject(expected as FilterPattern, here);
  return (value, absences) => test(memberOf(value, name), absences);
}

function compileLeaf(leaf: FilterLeaf, path: readonly string[]): PlaceTest {
  const literals = new Set<unknown>(leaf.filter((value) => !isObject(value)));
  const operators = leaf.filter((value): value is FilterOperator => isObject(value));
  const tests: readonly ValueTest[] = operators.filter((operator) => !asksForAbsence(operator)).map(testOf);
  const mayBeAbsent = operators.some(asksForAbsence);
  return (value, absences) =>
    valuesOf(value).some((item) => literals.has(item) || tests.some((test) => test(item))) ||
    (mayBeAbsent && absences.has(path));
}

/** The values at a place: itself, or the elements of a list. Objects are none, nor is what is not there. */
const valuesOf = (place: unknown): readonly FilterLiteral[] =>
  itemsOf(place).filter((item): item is FilterLiteral => item !== undefined && !isObject(item));

const itemsOf = (place: unknown): readonly unknown[] => (Array.isArray(place) ? place.flat(Infinity) : [place]);

const memberOf = (value: unknown, name: string): unknown =>
  isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
