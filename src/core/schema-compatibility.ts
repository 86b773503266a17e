/**
 * Whether a new version of a schema may follow the ones before it. Backward: who reads by the new version understands
 * events of the old ones. Forward: who reads by an old version understands events of the new one. Transitive: of all
 * old versions, not of the last alone.
 */
import type { Accepts, SchemaDifference } from "./schema-difference.ts";
import { inclusionDifferences } from "./schema-inclusion.ts";
import type { Schema } from "./schema.ts";

export const COMPATIBILITIES = [
  "none",
  "backward",
  "backward_transitive",
  "forward",
  "forward_transitive",
  "full",
  "full_transitive",
] as const;

export type Compatibility = (typeof COMPATIBILITIES)[number];

/** What a new version would break. */
export interface Incompatibility extends SchemaDifference {
  /** `writers`: events as the old version has them are refused. `readers`: those of the new one surprise who reads. */
  readonly breaks: "writers" | "readers";
  /** The old version that was compared. */
  readonly version: number;
}

export interface SchemaVersion {
  readonly version: number;
  readonly schema: Schema;
}

/** `history` in order, the newest last. Empty: the new version may follow. */
export function incompatibilities(
  history: readonly SchemaVersion[],
  next: Schema,
  compatibility: Compatibility,
  accepts: Accepts,
): readonly Incompatibility[] {
  const compared = compatibility.endsWith("_transitive") ? history : history.slice(-1);
  const isBackward = /^(backward|full)/.test(compatibility);
  const isForward = /^(forward|full)/.test(compatibility);
  return compared.toReversed().flatMap(({ version, schema }) => {
    const writers = isBackward ? inclusionDifferences(schema, next, accepts) : [];
    const readers = isForward ? inclusionDifferences(next, schema, accepts) : [];
    return [
      ...writers.map((difference) => ({ ...difference, breaks: "writers" as const, version })),
      ...readers.map((difference) => ({ ...difference, breaks: "readers" as const, version })),
    ];
  });
}
