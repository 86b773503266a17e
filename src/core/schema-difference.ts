/** Where one schema allows less than another, as the rules of each kind of values say it. */
import type { Schema } from "./schema.ts";

export interface SchemaDifference {
  /** Into the schema that allows less, references written out. */
  readonly pointer: string;
  /** The keyword that allows less. */
  readonly rule: string;
  /** False: the two may come to the same, but the hub cannot tell. */
  readonly isCertain: boolean;
}

/** What the rules of one kind of values ask back. */
export interface InclusionRules {
  /** Where values of `narrow` are not allowed by `wide`; pointers begin with `at`. */
  compare(narrow: Schema, wide: Schema, at: string): readonly SchemaDifference[];
  accepts(schema: Schema, value: unknown): boolean;
}

/** Whether a value is valid under a schema. */
export type Accepts = (schema: Schema, value: unknown) => boolean;

export const differsAt = (pointer: string, rule: string, isCertain = true): SchemaDifference => ({
  pointer: `${pointer}/${rule}`,
  rule,
  isCertain,
});
