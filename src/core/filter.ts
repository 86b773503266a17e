/**
 * The filter: EventBridge's content pattern over the event's JSON. This release knows literals, nesting and arrays;
 * every operator is refused, so that no filter ever means less than it says. Pure, compiled once, bounded in cost.
 */
import { escapePointer } from "./json-pointer.ts";
import { LIMITS } from "./limits.ts";
import { fail, ok, type Result } from "./result.ts";

export type FilterLiteral = string | number | boolean | null;
/** A leaf lists the values of which one must be there; members of one object must all hold. */
export interface FilterPattern {
  readonly [name: string]: readonly FilterLiteral[] | FilterPattern;
}

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

/** Checks a pattern from a client; every refusal names its JSON Pointer. `key` is another name for `partitionkey`. */
export function parseFilter(value: unknown): Result<FilterPattern> {
  const budget = { values: 0 };
  const problem = findProblem(value, "", 1, budget);
  if (problem !== null) return fail("filter_invalid", problem.detail, { errors: [problem] });
  return ok(value as FilterPattern);
}

export function compileFilter(pattern: FilterPattern | null): Filter {
  if (pattern === null) return MATCH_ALL;
  const { key, ...rest } = pattern;
  const full: FilterPattern = key === undefined ? rest : { ...rest, partitionkey: key };
  const names = Object.keys(full);
  return {
    types: stringsOf(full["type"]),
    keys: stringsOf(full["partitionkey"]),
    readsContent: names.some((name) => (name !== "type" && name !== "partitionkey") || stringsOf(full[name]) === null),
    matches: (event) => matchesObject(full, event),
  };
}

const stringsOf = (leaf: FilterPattern[string] | undefined): readonly string[] | null =>
  Array.isArray(leaf) && leaf.every((value) => typeof value === "string") ? (leaf as string[]) : null;

function matchesObject(pattern: FilterPattern, value: unknown): boolean {
  if (Array.isArray(value)) return value.some((item) => matchesObject(pattern, item));
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(pattern).every(([name, expected]) => {
    const given = Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined;
    return isLeaf(expected) ? matchesLeaf(expected, given) : matchesObject(expected, given);
  });
}

function matchesLeaf(allowed: readonly FilterLiteral[], given: unknown): boolean {
  const values: readonly unknown[] = Array.isArray(given) ? given : [given];
  return values.some((value) => allowed.includes(value as FilterLiteral));
}

const isLeaf = (expected: FilterPattern[string]): expected is readonly FilterLiteral[] => Array.isArray(expected);

interface Problem {
  readonly pointer: string;
  readonly detail: string;
}

function findProblem(value: unknown, pointer: string, depth: number, budget: { values: number }): Problem | null {
  const { FILTER_DEPTH_MAX: depthMax } = LIMITS;
  if (Array.isArray(value)) return findLeafProblem(value, pointer, budget);
  if (typeof value !== "object" || value === null) {
    return { pointer, detail: "A filter is an object whose leaves are lists of values." };
  }
  if (depth > depthMax) return { pointer, detail: `A filter is at most ${depthMax} levels deep.` };
  const members = Object.entries(value);
  if (members.length === 0) return { pointer, detail: "An object in a filter has at least one member." };
  for (const [name, member] of members) {
    const at = `${pointer}/${escapePointer(name)}`;
    if (FORBIDDEN_NAMES.has(name)) return { pointer: at, detail: "That name cannot stand in a filter." };
    if (name.startsWith("$")) return { pointer: at, detail: `The operator ${name} is not known.` };
    const problem = findProblem(member, at, depth + 1, budget);
    if (problem !== null) return problem;
  }
  return null;
}

const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

function findLeafProblem(values: readonly unknown[], pointer: string, budget: { values: number }): Problem | null {
  const { FILTER_VALUES_MAX: valuesMax } = LIMITS;
  if (pointer === "" || values.length === 0) return { pointer, detail: "A leaf lists at least one value." };
  budget.values += values.length;
  if (budget.values > valuesMax) return { pointer, detail: `A filter holds at most ${valuesMax} values.` };
  const index = values.findIndex((value) => typeof value === "object" && value !== null);
  if (index < 0) return null;
  const detail = "This release knows literal values only; no operator is understood.";
  return { pointer: `${pointer}/${index}`, detail };
}
