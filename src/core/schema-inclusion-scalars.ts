/** Numbers and strings that one schema allows and another does not. */
import { differsAt, type SchemaDifference } from "./schema-difference.ts";
import type { SchemaObject, TypeName } from "./schema.ts";

interface Bound {
  readonly at: number;
  readonly isExclusive: boolean;
}

/** `types`: those that `narrow` can have. */
export function numberDifferences(
  narrow: SchemaObject,
  wide: SchemaObject,
  types: readonly TypeName[],
): readonly SchemaDifference[] {
  const isWhole = !types.includes("number");
  const found: SchemaDifference[] = [];
  const lower = lowerBound(wide, isWhole);
  if (lower !== null && !reaches(lowerBound(narrow, isWhole), lower, 1))
    found.push(differsAt("", strictest(wide, "exclusiveMinimum", "minimum", 1)));
  const upper = upperBound(wide, isWhole);
  if (upper !== null && !reaches(upperBound(narrow, isWhole), upper, -1))
    found.push(differsAt("", strictest(wide, "exclusiveMaximum", "maximum", -1)));
  const { multipleOf: divisor } = wide;
  const steps = [narrow.multipleOf, isWhole ? 1 : undefined].filter((step): step is number => step !== undefined);
  if (divisor !== undefined && !steps.some((step) => isMultiple(step, divisor)))
    found.push(differsAt("", "multipleOf"));
  return found;
}

export function stringDifferences(narrow: SchemaObject, wide: SchemaObject): readonly SchemaDifference[] {
  const found: SchemaDifference[] = [];
  if ((narrow.minLength ?? 0) < (wide.minLength ?? 0)) found.push(differsAt("", "minLength"));
  if ((narrow.maxLength ?? Infinity) > (wide.maxLength ?? Infinity)) found.push(differsAt("", "maxLength"));
  // Of two patterns the hub cannot tell which takes more.
  for (const rule of ["pattern", "format"] as const)
    if (wide[rule] !== undefined && wide[rule] !== narrow[rule])
      found.push(differsAt("", rule, narrow[rule] === undefined));
  return found;
}

const boundsOf = (inclusive: number | undefined, exclusive: number | undefined): Bound[] => [
  ...(inclusive === undefined ? [] : [{ at: inclusive, isExclusive: false }]),
  ...(exclusive === undefined ? [] : [{ at: exclusive, isExclusive: true }]),
];

/** Of whole numbers the next one that is allowed. */
function lowerBound(schema: SchemaObject, isWhole: boolean): Bound | null {
  const whole = ({ at, isExclusive }: Bound): Bound => ({
    at: isExclusive ? Math.floor(at) + 1 : Math.ceil(at),
    isExclusive: false,
  });
  const bounds = boundsOf(schema.minimum, schema.exclusiveMinimum).map((bound) => (isWhole ? whole(bound) : bound));
  return tightest(bounds, 1);
}

function upperBound(schema: SchemaObject, isWhole: boolean): Bound | null {
  const whole = ({ at, isExclusive }: Bound): Bound => ({
    at: isExclusive ? Math.ceil(at) - 1 : Math.floor(at),
    isExclusive: false,
  });
  const bounds = boundsOf(schema.maximum, schema.exclusiveMaximum).map((bound) => (isWhole ? whole(bound) : bound));
  return tightest(bounds, -1);
}

type Direction = 1 | -1;

const tightest = (bounds: readonly Bound[], direction: Direction): Bound | null =>
  bounds.reduce<Bound | null>((best, bound) => (best === null || reaches(bound, best, direction) ? bound : best), null);

/** Whether what is within `narrow` is within `wide`. */
function reaches(narrow: Bound | null, wide: Bound, direction: Direction): boolean {
  if (narrow === null) return false;
  if (narrow.at === wide.at) return narrow.isExclusive || !wide.isExclusive;
  return (narrow.at - wide.at) * direction > 0;
}

/** Which of the two keywords binds. */
function strictest<Exclusive extends "exclusiveMinimum" | "exclusiveMaximum", Inclusive extends "minimum" | "maximum">(
  schema: SchemaObject,
  exclusive: Exclusive,
  inclusive: Inclusive,
  direction: Direction,
): Exclusive | Inclusive {
  const [outer, inner] = [schema[exclusive], schema[inclusive]];
  if (outer === undefined) return inclusive;
  return inner === undefined || (outer - inner) * direction >= 0 ? exclusive : inclusive;
}

/** Decimal, not binary: 0.3 is a multiple of 0.1. False where the numbers are too large to tell. */
function isMultiple(value: number, divisor: number): boolean {
  const digits = Math.max(fractionDigits(value), fractionDigits(divisor));
  const [scaled, by] = [Math.round(value * 10 ** digits), Math.round(divisor * 10 ** digits)];
  return Number.isSafeInteger(scaled) && Number.isSafeInteger(by) && by > 0 && scaled % by === 0;
}

function fractionDigits(value: number): number {
  const [coefficient, exponent = "0"] = String(value).split("e");
  const digits = (coefficient!.split(".")[1] ?? "").length;
  return Math.max(0, digits - Number(exponent));
}
