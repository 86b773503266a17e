/** `POST /v1/tokens`: a backend lets the hub sign what it gives to a browser. */
import { Hono } from "hono";
import { assert } from "../../core/assert.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Principal } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { coversScope, type Scope } from "../../core/scope.ts";
import { audienceOf, TOKEN_ISSUER, type TokenClaims } from "../../core/token-claims.ts";
import { parseTokenRequest, type TokenRequest } from "../../wire/native/token-request.ts";
import { findKey } from "../access/key-directory.ts";
import { rootTokenKey, tokenKeyOf, type TokenKey } from "../access/token-keys.ts";
import { signToken } from "../access/tokens.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { json, problem } from "../respond.ts";

export const tokenRoutes = new Hono<HubBindings>().post("/tokens", jsonBody, idempotency, postToken);

async function postToken(c: HubContext): Promise<Response> {
  c.set("showsSecret", true);
  const { principal } = c.var;
  // A token that could make tokens would never end.
  if (principal.kind === "token") return problem({ code: "scope_missing", detail: "A token makes no tokens." });
  const request = parseTokenRequest(c.var.body);
  if (!request.ok) return problem(request.failure);
  const refusal = refuseWider(principal, request.value.scopes);
  if (!refusal.ok) return problem(refusal.failure);
  const key = await signingKey(c);
  if (!key.ok) return problem(key.failure);
  const claims = claimsOf(c, request.value, Date.now());
  const token = await signToken(key.value, claims);
  const limit = LIMITS.CREDENTIAL_CHARS_MAX;
  if (token.length > limit)
    return problem({ code: "parameter_invalid", detail: TOO_LONG, limit, actual: token.length });
  return json({ token, id: claims.id, expiresAt: new Date(claims.expiresAt).toISOString() }, 201);
}

const TOO_LONG = "With these scopes and this user the token would be longer than the hub takes.";

function refuseWider(principal: Principal, scopes: readonly Scope[]): Result<null> {
  if (principal.kind === "root") return ok(null);
  const errors = scopes.flatMap((scope, index) =>
    coversScope(principal.scopes, scope)
      ? []
      : [{ pointer: `/scopes/${index}`, detail: "The key does not allow this itself." }],
  );
  return errors.length === 0 ? ok(null) : fail("scope_missing", "A token may do no more than its key.", { errors });
}

async function signingKey(c: HubContext): Promise<Result<TokenKey>> {
  const { principal, config } = c.var;
  if (principal.kind === "root") return ok(await rootTokenKey(config));
  const record = await findKey(c, principal.key);
  if (record === null) return fail("credential_revoked"); // It was good when the request came in.
  if (record.tokenAlgorithm === "EdDSA") return fail("token_key_not_held");
  const key = await tokenKeyOf(config, record);
  return key === null ? fail("not_configured", "The hub cannot open the secret that signs its tokens.") : ok(key);
}

function claimsOf({ var: { principal, app } }: HubContext, request: TokenRequest, now: number): TokenClaims {
  assert(principal.kind !== "token", "a token makes no tokens");
  const endOfKey = principal.kind === "key" ? principal.expiresAt : null;
  return {
    issuer: TOKEN_ISSUER,
    audience: audienceOf(app.name),
    app: principal.kind === "root" ? app.id : null,
    id: crypto.randomUUID(),
    user: request.user,
    scopes: request.scopes,
    issuedAt: now,
    notBefore: null,
    expiresAt: Math.min(now + request.lifeMs, endOfKey ?? Number.MAX_SAFE_INTEGER),
  };
}
