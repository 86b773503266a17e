/** `{ "order.created": 3 }`: to which version of its schema a reader has the events of a type lifted. */
import { LIMITS } from "../../core/limits.ts";
import type { Lifts } from "../../core/upcast.ts";
import type { DefinitionReader } from "./definition-reader.ts";

export type SchemaPins = ReadonlyMap<string, number>;

export function readPins(reader: DefinitionReader, raw: string | undefined, pointer: string): SchemaPins {
  const pins = new Map<string, number>();
  if (raw === undefined) return pins;
  const pointers = new Map<string, string>();
  const given = reader.openObject(raw, pointer, (type, at) => pointers.set(type, at));
  if (given.size > LIMITS.LIFTED_TYPES_MAX)
    reader.refuse(pointer, `Events of at most ${LIMITS.LIFTED_TYPES_MAX} types are lifted.`);
  for (const [type, version] of given) {
    const range = { min: 1, max: LIMITS.SCHEMA_VERSIONS_MAX };
    pins.set(type, reader.integer(version, pointers.get(type)!, range) ?? 1);
  }
  return pins;
}

/** As it can be PUT again. */
export const formatPins = (lifts: Lifts): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(lifts).map(([type, { version }]) => [type, version]));
