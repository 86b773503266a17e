/** `POST /v1/revocations`: credentials taken back before their time. Answered when nothing is open that they opened. */
import { Hono } from "hono";
import { LIMITS } from "../../core/limits.ts";
import { isAdmin, ROOT_TOKEN_KEY } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { makeRevocation } from "../../core/revocation.ts";
import { AccessChangesStore } from "../../store/access-changes-store.ts";
import {
  formatRevocation,
  parseRevocationRequest,
  type RevocationRequest,
} from "../../wire/native/revocation-request.ts";
import { enforce } from "../access/revoke.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { json, problem } from "../respond.ts";
import { findOwnKey, revokeKey } from "./keys.ts";

export const revocationRoutes = new Hono<HubBindings>().post("/revocations", jsonBody, idempotency, revoke);

async function revoke(c: HubContext): Promise<Response> {
  if (!isAdmin(c.var.principal)) return problem({ code: "scope_missing" });
  const request = parseRevocationRequest(c.var.body);
  if (!request.ok) return problem(request.failure);
  const { kind, subject } = request.value;
  const isKey = kind === "key" && subject !== ROOT_TOKEN_KEY;
  const at = isKey ? await endKey(c, subject) : await endTokens(c, request.value);
  return at.ok ? json(formatRevocation({ kind, subject, at: at.value }), 201) : problem(at.failure);
}

async function endKey(c: HubContext, id: string): Promise<Result<number>> {
  const key = await findOwnKey(c, id);
  return key.ok ? revokeKey(c, key.value) : fail(key.failure.code);
}

/** Of a user, one alone, or all that the hub signed for the root key. None has a row, so none can be missing. */
async function endTokens(c: HubContext, { kind, subject }: RevocationRequest): Promise<Result<number>> {
  const actor = auditActorOf(callerOf(c));
  const revocation = makeRevocation(actor.app, kind, subject, actor.at);
  const after = formatRevocation(revocation);
  const entry = { ...actor, action: "credential.revoked", subject: `${kind}:${subject}`, before: null, after } as const;
  if (!(await new AccessChangesStore(c.env.DB).revoke(revocation, entry))) return tooManyRevoked();
  await enforce(c.env, revocation);
  return ok(revocation.at);
}

/** An earlier one counts until nothing that it covers is good. The key behind the tokens can still be revoked. */
const tooManyRevoked = (): Result<never> =>
  fail("quota_exceeded", "The app has as many revocations as it may; revoke the key that signed the tokens.", {
    limit: LIMITS.APP_REVOCATIONS_MAX,
    actual: LIMITS.APP_REVOCATIONS_MAX + 1,
    retryAfterSeconds: 60,
  });
