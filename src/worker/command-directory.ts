/**
 * Commands as who sends them needs them: from the isolate's cache, else from D1. A change may be known half a minute
 * late.
 */
import type { CommandDefinition } from "../core/command.ts";
import { LIMITS } from "../core/limits.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { readSchema } from "../core/schema-document.ts";
import type { Env } from "../env.ts";
import { CommandsStore } from "../store/commands-store.ts";
import { IsolateCache } from "./isolate-cache.ts";
import { Validator } from "./schema-validator.ts";

export interface KnownCommand {
  readonly definition: CommandDefinition;
  /** Null: payloads may be anything. */
  readonly validator: Validator | null;
}

const KEPT_MAX = 256; // With schemas of up to 64 KB.

const cache = new IsolateCache<KnownCommand>(KEPT_MAX);

/** Failures: `command_not_found`. */
export async function findCommand(env: Env, app: string, name: string): Promise<Result<KnownCommand>> {
  const known = cache.get(keyOf(app, name), Date.now());
  if (known !== undefined) return ok(known);
  const definition = await new CommandsStore(env.DB).find(app, name);
  if (definition === null) return fail("command_not_found");
  const found = { definition, validator: validatorOf(definition) };
  cache.set(keyOf(app, name), found, Date.now() + LIMITS.CONFIG_CACHE_MS);
  return ok(found);
}

/** After a change, by the isolate that made it. */
export const forgetCommand = (app: string, name: string): void => cache.delete(keyOf(app, name));

const keyOf = (app: string, name: string): string => `${app}\n${name}`; // Neither holds a line break.

function validatorOf({ schema: text }: CommandDefinition): Validator | null {
  if (text === null) return null;
  const schema = readSchema(JSON.parse(text), "");
  if (!schema.ok) throw new Error(`a stored schema does not read: ${schema.failure.detail}`);
  return new Validator(schema.value);
}
