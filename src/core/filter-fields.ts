/** What a filter reads of an event, for those who want to change events and must know whom that concerns. */
import { compileFilter } from "./filter.ts";
import type { FilterPattern } from "./filter-pattern.ts";
import { escapePointer } from "./json-pointer.ts";

/** The places that its leaves look at, as JSON Pointers into the event, each once. */
export const filterFields = (pattern: FilterPattern | null): readonly string[] => [
  ...new Set(pattern === null ? [] : fieldsUnder(pattern, "")),
];

function fieldsUnder(pattern: FilterPattern, at: string): readonly string[] {
  return Object.entries(pattern).flatMap(([name, member]) => {
    if (name === "$or") return (member as readonly FilterPattern[]).flatMap((each) => fieldsUnder(each, at));
    const field = `${at}/${escapePointer(name)}`;
    return Array.isArray(member) ? [field] : fieldsUnder(member as FilterPattern, field);
  });
}

/** False where no event of the type can pass. Alternatives are not looked into: they may admit it. */
export function admitsType(pattern: FilterPattern | null, type: string): boolean {
  const leaf = pattern?.["type"];
  return leaf === undefined || compileFilter({ type: leaf }).matches({ type });
}

/** Whether a change at one place concerns who reads the other: they are the same, or one holds the other. */
export const isWithin = (field: string, other: string): boolean =>
  field === other || field.startsWith(`${other}/`) || other.startsWith(`${field}/`);
