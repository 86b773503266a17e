/** `POST /v1/tokens`: what a browser shall be allowed, and for how long. */
import { formatDuration, parseDurationMs } from "../../core/duration.ts";
import { isObjectText, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import type { User } from "../../core/principal.ts";
import { fail, type Result } from "../../core/result.ts";
import type { Scope } from "../../core/scope.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";
import { readScopes } from "./scope-list.ts";
import { readUser } from "./user.ts";

export interface TokenRequest {
  readonly scopes: readonly Scope[];
  readonly user: User | null;
  readonly lifeMs: number;
}

export function parseTokenRequest(text: string): Result<TokenRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["scopes", "user", "ttl"]);
  const scopes = readScopes(reader, given.get("scopes"), "/scopes");
  const admin = scopes.findIndex(({ action }) => action === "admin");
  if (admin >= 0) reader.refuse(`/scopes/${admin}`, "A token cannot carry admin.");
  const user = readUserOf(reader, given.get("user"));
  const lifeMs = readLife(given.get("ttl"));
  if (!lifeMs.ok) return lifeMs;
  return reader.finish("parameter_invalid", () => ({ scopes, user, lifeMs: lifeMs.value }));
}

function readUserOf(reader: DefinitionReader, raw: string | undefined): User | null {
  if (raw === undefined) return null;
  const given = reader.object(raw, "/user", ["id", "data"]);
  if (!given.has("id")) {
    if (isObjectText(raw)) reader.refuse("/user/id", "A user has an id.");
    return null;
  }
  return readUser(reader, { id: given.get("id"), idAt: "/user/id", data: given.get("data"), dataAt: "/user/data" });
}

/** Refused by itself, because the limit that was passed is told with it. */
function readLife(raw: string | undefined): Result<number> {
  if (raw === undefined) return { ok: true, value: LIMITS.TOKEN_LIFE_MS_DEFAULT };
  const lifeMs = parseDurationMs(stringOf(raw));
  const [min, max] = [LIMITS.TOKEN_LIFE_MS_MIN, LIMITS.TOKEN_LIFE_MS_MAX];
  if (lifeMs !== null && lifeMs >= min && lifeMs <= max) return { ok: true, value: lifeMs };
  const detail = `A token's ttl is a duration from ${formatDuration(min)} to ${formatDuration(max)}.`;
  const actual = lifeMs === null ? {} : { actual: lifeMs };
  return fail("parameter_invalid", detail, { limit: max, ...actual, errors: [{ pointer: "/ttl", detail }] });
}
