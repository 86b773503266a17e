/** JSON Schemas of what goes over the wire, written shortly. What a request may hold is closed, an answer may grow. */
import { LIMITS } from "../../core/limits.ts";

export type Shape = Readonly<Record<string, unknown>>;
export type Shapes = Readonly<Record<string, Shape>>;

export const text = (more: Shape = {}): Shape => ({ type: "string", ...more });

/** At most so many characters; the parser may count bytes, which are as many or more. */
export const shortText = (maxLength: number, more: Shape = {}): Shape => text({ maxLength, ...more });

export const matching = (pattern: RegExp, more: Shape = {}): Shape => text({ pattern: pattern.source, ...more });

export const oneOfTexts = (...texts: readonly string[]): Shape => text({ enum: texts });

export const whole = (minimum = 0, maximum?: number): Shape => ({
  type: "integer",
  minimum,
  ...(maximum !== undefined && { maximum }),
});

/** What a writer expects of a key. */
export const EXPECTED_VERSION: Shape = { anyOf: [whole(0), oneOfTexts("noStream", "exists")] };

export const FLAG: Shape = { type: "boolean" };
export const TIME: Shape = text({ format: "date-time" });
export const DURATION: Shape = matching(/^[0-9]{1,9}(ms|s|m|h|d)$/, { examples: ["30s"] });
export const ANYTHING: Shape = {};

export const listOf = (items: Shape, more: Shape = {}): Shape => ({ type: "array", items, ...more });

export const mapOf = (additionalProperties: Shape, more: Shape = {}): Shape => ({
  type: "object",
  additionalProperties,
  ...more,
});

export function orNull(shape: Shape): Shape {
  if (Object.keys(shape).length === 0) return shape;
  const isPlain = typeof shape["type"] === "string" && !("enum" in shape);
  return isPlain ? { ...shape, type: [shape["type"], "null"] } : { anyOf: [shape, { type: "null" }] };
}

/** An object that a request brings: no other member may stand in it, and null is the absence of one that may be. */
export const taken = (required: Shapes, optional: Shapes = {}, more: Shape = {}): Shape => ({
  type: "object",
  properties: { ...required, ...mapValues(optional, orNull) },
  ...(Object.keys(required).length > 0 && { required: Object.keys(required) }),
  additionalProperties: false,
  ...more,
});

/** An object that an answer shows: readers leave aside what they do not know. */
export const shown = (always: Shapes, sometimes: Shapes = {}, more: Shape = {}): Shape => ({
  type: "object",
  properties: { ...always, ...sometimes },
  ...(Object.keys(always).length > 0 && { required: Object.keys(always) }),
  ...more,
});

/** By its name among the components. */
export const named = (name: string): Shape => ({ $ref: `#/components/schemas/${name}` });

/** A page of a list. */
export const pageOf = (items: Shape): Shape =>
  shown({ items: listOf(items, { maxItems: LIMITS.LIST_ITEMS_MAX }), cursor: orNull(text()) });

const mapValues = (shapes: Shapes, change: (shape: Shape) => Shape): Shapes =>
  Object.fromEntries(Object.entries(shapes).map(([name, shape]) => [name, change(shape)]));
