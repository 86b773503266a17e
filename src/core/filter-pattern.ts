/**
 * The grammar of filters: EventBridge's event patterns over the event's JSON. Here a pattern from a client is checked,
 * whole and by pointer; filter.ts makes it work. No regular expression ever comes from outside.
 */
import type { FieldError } from "./errors.ts";
import { isForbiddenName } from "./event-attributes.ts";
import { parseCidr } from "./ip-address.ts";
import { escapePointer } from "./json-pointer.ts";
import { LIMITS } from "./limits.ts";
import { fail, ok, type Result } from "./result.ts";
import { parseWildcard } from "./wildcard.ts";

export type FilterLiteral = string | number | boolean | null;

/** Text as it stands, or whatever its case. */
export type FilterText = string | { readonly "equals-ignore-case": string };

export type FilterOperator =
  | { readonly prefix: FilterText }
  | { readonly suffix: FilterText }
  | { readonly "equals-ignore-case": string }
  | { readonly wildcard: string }
  | { readonly cidr: string }
  | { readonly exists: boolean }
  /** One comparison, or a lower and an upper bound: `[">", 0, "<=", 5]`. */
  | { readonly numeric: readonly (string | number)[] }
  | { readonly "anything-but": AnythingBut };

export type AnythingBut =
  | string
  | number
  | readonly string[]
  | readonly number[]
  | { readonly [kind in "prefix" | "suffix" | "wildcard" | "equals-ignore-case"]?: string | readonly string[] };

/** A leaf lists what may be there: one of it must. */
export type FilterLeaf = readonly (FilterLiteral | FilterOperator)[];

/** Members of one object must all hold. `$or` lists at least two patterns, of which one must hold. */
export interface FilterPattern {
  readonly [name: string]: FilterLeaf | FilterPattern | readonly FilterPattern[];
}

/** Checks a pattern from a client. Fails with `filter_invalid` and the pointer of the first thing that is wrong. */
export function parseFilter(value: unknown): Result<FilterPattern> {
  const problem = checkPattern(value, "", 1, { values: 0 });
  if (problem !== null) return fail("filter_invalid", problem.detail, { errors: [problem] });
  return ok(value as FilterPattern);
}

/** What a filter costs is bounded by its depth and by the values that it names, in all its leaves together. */
interface Budget {
  values: number;
}

function checkPattern(value: unknown, pointer: string, depth: number, budget: Budget): FieldError | null {
  const { FILTER_DEPTH_MAX: depthMax } = LIMITS;
  if (!isObject(value)) return { pointer, detail: "A filter is an object whose leaves are lists of values." };
  if (depth > depthMax) return { pointer, detail: `A filter is at most ${depthMax} levels deep.` };
  const members = Object.entries(value);
  if (members.length === 0) return { pointer, detail: "An object in a filter has at least one member." };
  for (const [name, member] of members) {
    const problem = checkMember(name, member, `${pointer}/${escapePointer(name)}`, depth, budget);
    if (problem !== null) return problem;
  }
  return null;
}

function checkMember(name: string, member: unknown, pointer: string, depth: number, budget: Budget): FieldError | null {
  if (isForbiddenName(name)) return { pointer, detail: "That name cannot stand in a filter." };
  if (name === "$or") return checkAlternatives(member, pointer, depth, budget);
  if (name.startsWith("$")) return { pointer, detail: "There is no such operator." };
  return Array.isArray(member) ? checkLeaf(member, pointer, budget) : checkPattern(member, pointer, depth + 1, budget);
}

function checkAlternatives(member: unknown, pointer: string, depth: number, budget: Budget): FieldError | null {
  if (!Array.isArray(member) || member.length < 2) return { pointer, detail: "$or lists at least two filters." };
  const problem = spend(budget, member.length, pointer);
  if (problem !== null) return problem;
  for (const [index, alternative] of member.entries()) {
    const found = checkPattern(alternative, `${pointer}/${index}`, depth + 1, budget);
    if (found !== null) return found;
  }
  return null;
}

function checkLeaf(values: readonly unknown[], pointer: string, budget: Budget): FieldError | null {
  if (values.length === 0) return { pointer, detail: "A leaf lists at least one value." };
  const problem = spend(budget, values.length, pointer);
  if (problem !== null) return problem;
  for (const [index, value] of values.entries()) {
    const found = isLiteral(value) ? null : checkOperator(value, `${pointer}/${index}`, budget);
    if (found !== null) return found;
  }
  return null;
}

function checkOperator(value: unknown, pointer: string, budget: Budget): FieldError | null {
  const entries = isObject(value) ? Object.entries(value) : [];
  const [name, operand] = entries[0] ?? ["", null];
  const check = Object.hasOwn(OPERATORS, name) ? OPERATORS[name as keyof typeof OPERATORS] : undefined;
  if (check === undefined || entries.length !== 1) {
    const known = Object.keys(OPERATORS).join(", ");
    return { pointer, detail: `This is a string, a number, true, false, null or one operator of: ${known}.` };
  }
  const detail = check(operand, budget);
  return detail === null ? null : { pointer: `${pointer}/${name}`, detail };
}

/** What is wrong with an operand, or null. */
type Check = (operand: unknown, budget: Budget) => string | null;

const checkText: Check = (operand) =>
  typeof operand === "string" || isIgnoringCase(operand)
    ? null
    : 'This is a string, or { "equals-ignore-case": a string }.';

const checkWildcard: Check = (operand) =>
  typeof operand === "string" && parseWildcard(operand) !== null
    ? null
    : "This is a string in which * stands for any text; no two stars together, \\* and \\\\ for themselves.";

const OPERATORS: Readonly<Record<string, Check>> = {
  prefix: checkText,
  suffix: checkText,
  "equals-ignore-case": (operand) => (typeof operand === "string" ? null : "This is a string."),
  wildcard: checkWildcard,
  cidr: (operand) =>
    typeof operand === "string" && parseCidr(operand) !== null ? null : 'This is a block of addresses: "10.0.0.0/24".',
  exists: (operand) => (typeof operand === "boolean" ? null : "This is true or false."),
  numeric: checkNumeric,
  "anything-but": checkAnythingBut,
};

const LOWER = new Set<unknown>([">", ">="]);
const UPPER = new Set<unknown>(["<", "<="]);

function checkNumeric(operand: unknown): string | null {
  const says = 'This is a comparison such as [">", 0], or a lower and an upper bound: [">", 0, "<=", 5].';
  if (!Array.isArray(operand)) return says;
  const [first, from, second, to] = operand as readonly unknown[];
  const isOne = operand.length === 2 && (first === "=" || LOWER.has(first) || UPPER.has(first));
  const isRange = operand.length === 4 && LOWER.has(first) && UPPER.has(second);
  if (isOne) return isNumber(from) ? null : says;
  return isRange && isNumber(from) && isNumber(to) && from < to ? null : says;
}

function checkAnythingBut(operand: unknown, budget: Budget): string | null {
  if (typeof operand === "string" || isNumber(operand)) return null;
  if (Array.isArray(operand)) return checkExceptions(operand, budget);
  const entries = isObject(operand) ? Object.entries(operand) : [];
  const [kind, texts] = entries[0] ?? ["", null];
  const isKnown = entries.length === 1 && ["prefix", "suffix", "wildcard", "equals-ignore-case"].includes(kind);
  if (!isKnown) return "This is a value, a list, or one of: prefix, suffix, wildcard, equals-ignore-case.";
  const list: readonly unknown[] = Array.isArray(texts) ? texts : [texts];
  budget.values += list.length;
  const fits = (text: unknown): boolean =>
    typeof text === "string" && text !== "" && (kind !== "wildcard" || parseWildcard(text) !== null);
  return list.length > 0 && isWithin(budget) && list.every(fits) ? null : "This is a string, or a list of strings.";
}

function checkExceptions(list: readonly unknown[], budget: Budget): string | null {
  budget.values += list.length;
  const isOfOneKind = list.every((value) => typeof value === "string") || list.every(isNumber);
  return list.length > 0 && isWithin(budget) && isOfOneKind ? null : "This is a list of strings, or a list of numbers.";
}

const isWithin = ({ values }: Budget): boolean => values <= LIMITS.FILTER_VALUES_MAX;

function spend(budget: Budget, count: number, pointer: string): FieldError | null {
  budget.values += count;
  return isWithin(budget) ? null : { pointer, detail: `A filter holds at most ${LIMITS.FILTER_VALUES_MAX} values.` };
}

const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

const isLiteral = (value: unknown): boolean =>
  value === null || typeof value === "string" || typeof value === "boolean" || isNumber(value);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isIgnoringCase = (value: unknown): boolean =>
  isObject(value) && Object.keys(value).length === 1 && typeof value["equals-ignore-case"] === "string";
