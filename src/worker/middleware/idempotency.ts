import { createMiddleware } from "hono/factory";
import { createHash } from "node:crypto";
import { idempotencyScope } from "../../core/keys.ts";
import { LIMITS } from "../../core/limits.ts";
import { principalKey, scopesText, type Principal } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { IdempotencyStore, type IdempotencyRecord } from "../../store/idempotency-store.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { jsonText, problem } from "../respond.ts";

export const fingerprintOf = (body: string | Uint8Array): string =>
  createHash("sha256").update(body).digest("base64url");

export const scopeOf = (c: HubContext): string =>
  idempotencyScope(c.var.principal.app, holderOf(c.var.principal), c.req.method, c.req.path);

/**
 * The key is looked at before the route judges scope, so what one token was answered must not be there for another of
 * the same user that may do less.
 */
function holderOf(principal: Principal): string {
  const scopes = scopesText(principal);
  return scopes === null ? principalKey(principal) : `${principalKey(principal)}/${fingerprintOf(scopes)}`;
}

/** Null without the header. Clients send the key bare or as a quoted string (structured field); both mean the same. */
export function readIdempotencyKey(request: Request): Result<string | null> {
  const header = request.headers.get("idempotency-key");
  if (header === null) return ok(null);
  const key = /^"(.*)"$/.exec(header)?.[1] ?? header;
  const valid = /^[\x20-\x7e]+$/.test(key) && key.length <= LIMITS.IDEMPOTENCY_KEY_CHARS_MAX;
  return valid ? ok(key) : fail("idempotency_key_invalid");
}

/**
 * For mutating requests other than publish: the first answer is kept and repeated. A repeat that meets the first one
 * under way is told so; when that one's lease lapses, a repeat takes it over.
 */
export const idempotency = createMiddleware<HubBindings>(async (c, next) => {
  const key = readIdempotencyKey(c.req.raw);
  if (!key.ok) return problem(key.failure);
  if (key.value === null) return next();

  const store = new IdempotencyStore(c.env.DB);
  const [scope, fingerprint, token] = [scopeOf(c), fingerprintOf(c.var.body), crypto.randomUUID()];
  const record = await store.claim(scope, key.value, fingerprint, token, Date.now());
  if (record.token !== token) return answerRepeat(record, fingerprint);

  await next();
  if (c.res.ok)
    await store.complete(scope, key.value, token, c.res.status, c.var.showsSecret ? null : await c.res.clone().text());
  else await store.release(scope, key.value, token);
});

function answerRepeat(record: IdempotencyRecord, fingerprint: string): Response {
  if (record.fingerprint !== fingerprint) return problem({ code: "idempotency_key_reused" });
  if (record.state === "claimed") return problem({ code: "idempotency_in_progress", retryAfterSeconds: 1 });
  if (record.response === null || record.status === null) return problem({ code: "idempotency_not_replayable" });
  const body = record.status === 204 ? null : record.response;
  const headers = { "idempotent-replayed": "true" };
  return body === null ? new Response(null, { status: 204, headers }) : jsonText(body, record.status, headers);
}
