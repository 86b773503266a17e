/**
 * Contracts as publishing needs them: from the isolate's cache, else from D1. Which types there are may be known half a
 * minute late; a version never changes, so what checks by it is kept for as long as there is room.
 */
import { LIMITS } from "../core/limits.ts";
import { readSchema } from "../core/schema-document.ts";
import type { SchemaReference } from "../core/schema-reference.ts";
import type { Env } from "../env.ts";
import { SchemasStore } from "../store/schemas-store.ts";
import { IsolateCache } from "./isolate-cache.ts";
import { Validator } from "./schema-validator.ts";

const VALIDATORS_KEPT_MAX = 256; // Of schemas of up to 64 KB.

const ABSENT_KEPT_MS = 1_000; // Or each event of a request that names it would ask D1.

const newest = new IsolateCache<ReadonlyMap<string, number>>();
const validators = new IsolateCache<Validator | null>(VALIDATORS_KEPT_MAX);

/** The newest version of each type that has a schema. */
export async function findNewestVersions(env: Env, app: string): Promise<ReadonlyMap<string, number>> {
  const known = newest.get(app, Date.now());
  if (known !== undefined) return known;
  const found = await new SchemasStore(env.DB).newestVersions(app);
  newest.set(app, found, Date.now() + LIMITS.CONFIG_CACHE_MS);
  return found;
}

/** After a version was added, by the isolate that added it. */
export const forgetNewestVersions = (app: string): void => newest.delete(app);

/** Null when there is no such version. */
export async function findValidator(env: Env, app: string, reference: SchemaReference): Promise<Validator | null> {
  const key = JSON.stringify([app, reference.type, reference.version]);
  const known = validators.get(key, Date.now());
  if (known !== undefined) return known;
  const record = await new SchemasStore(env.DB).find(app, reference.type, reference.version);
  if (record === null) {
    validators.set(key, null, Date.now() + ABSENT_KEPT_MS);
    return null;
  }
  const schema = readSchema(JSON.parse(record.schema), "");
  if (!schema.ok) throw new Error(`a stored schema does not read: ${schema.failure.detail}`);
  const validator = new Validator(schema.value);
  validators.set(key, validator, Infinity);
  return validator;
}
