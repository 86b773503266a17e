/** What each operator of a filter means for one value of an event. Made once, and asked many times. */
import { isInCidr, parseCidr, parseIpAddress } from "./ip-address.ts";
import type { AnythingBut, FilterLiteral, FilterOperator, FilterText } from "./filter-pattern.ts";
import { matchesWildcard, parseWildcard } from "./wildcard.ts";

/** Decides on one value that is there and is neither an object nor a list. */
export type ValueTest = (value: FilterLiteral) => boolean;

/** `exists: false` asks for no value, so it is decided elsewhere. */
export const asksForAbsence = (operator: FilterOperator): boolean => "exists" in operator && !operator.exists;

export function testOf(operator: FilterOperator): ValueTest {
  if ("prefix" in operator) return onText(textTest(operator.prefix, (text, part) => text.startsWith(part)));
  if ("suffix" in operator) return onText(textTest(operator.suffix, (text, part) => text.endsWith(part)));
  if ("equals-ignore-case" in operator) return ignoringCase(operator["equals-ignore-case"]);
  if ("wildcard" in operator) return wildcard(operator.wildcard);
  if ("cidr" in operator) return inCidr(operator.cidr);
  if ("numeric" in operator) return numeric(operator.numeric);
  if ("anything-but" in operator) return anythingBut(operator["anything-but"]);
  return () => operator.exists;
}

const onText =
  (test: (text: string) => boolean): ValueTest =>
  (value) =>
    typeof value === "string" && test(value);

function textTest(part: FilterText, test: (text: string, part: string) => boolean): (text: string) => boolean {
  if (typeof part === "string") return (text) => test(text, part);
  const lower = part["equals-ignore-case"].toLowerCase();
  return (text) => test(text.toLowerCase(), lower);
}

function ignoringCase(expected: string): ValueTest {
  const lower = expected.toLowerCase();
  return onText((text) => text.toLowerCase() === lower);
}

function wildcard(pattern: string): ValueTest {
  const pieces = parseWildcard(pattern)!;
  return onText((text) => matchesWildcard(pieces, text));
}

function inCidr(block: string): ValueTest {
  const cidr = parseCidr(block)!;
  return onText((text) => {
    const address = parseIpAddress(text);
    return address !== null && isInCidr(address, cidr);
  });
}

const COMPARISONS: Readonly<Record<string, (value: number, bound: number) => boolean>> = {
  "=": (value, bound) => value === bound,
  "<": (value, bound) => value < bound,
  "<=": (value, bound) => value <= bound,
  ">": (value, bound) => value > bound,
  ">=": (value, bound) => value >= bound,
};

function numeric([first, from, second, to]: readonly (string | number)[]): ValueTest {
  const lower = COMPARISONS[first!]!;
  const upper = second === undefined ? () => true : COMPARISONS[second]!;
  return (value) => typeof value === "number" && lower(value, from as number) && upper(value, to as number);
}

/** Anything that is there, of whatever kind, but what is named. */
function anythingBut(operand: AnythingBut): ValueTest {
  if (typeof operand !== "object") return (value) => value !== operand;
  if (Array.isArray(operand)) return (value) => !operand.includes(value as never);
  const [[kind, texts]] = Object.entries(operand) as [[string, string | readonly string[]]];
  const tests = [texts].flat().map((text) => testOf({ [kind]: text } as unknown as FilterOperator));
  return (value) => !tests.some((test) => test(value));
}
