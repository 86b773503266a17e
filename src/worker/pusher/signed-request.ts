/** Requests that Pusher's server libraries sign instead of showing a credential. */
import { createHash } from "node:crypto";
import { createMiddleware } from "hono/factory";
import { LIMITS } from "../../core/limits.ts";
import type { KeyPrincipal } from "../../core/principal.ts";
import { pusherAppId } from "../../core/pusher-app.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { requestContent } from "../../wire/pusher/signatures.ts";
import { revocationOf } from "../access/access-changes.ts";
import { markOf } from "../access/api-key.ts";
import { noteUse, type KeyRecord } from "../access/key-directory.ts";
import { decodeUtf8, readBytes } from "../body.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { spendQuotas } from "../quotas.ts";
import { readConfig } from "../../config.ts";
import { findPusherKey } from "./admit-client.ts";
import { pusherSecretsOf, signerOf } from "../../pusher-secrets.ts";
import { refuse } from "./refuse.ts";

/** Leaves the key as `principal`, its app, and the body as it was signed. */
export const authenticateSigned = createMiddleware<HubBindings>(async (c, next) => {
  c.set("config", readConfig(c.env));
  const signer = await findSigner(c);
  if (!signer.ok) return refuse(signer.failure);
  const body = await readSignedBody(c);
  if (!body.ok) return refuse(body.failure);
  const principal = principalOf(signer.value);
  if (revocationOf(principal) !== null) return refuse({ code: "signature_invalid" });
  if (c.req.param("app") !== pusherAppId(principal)) return refuse({ code: "app_not_found" });
  const spent = await spendQuotas(c.env, principal, { requestsPerSecond: 1 });
  if (!spent.ok) return refuse(spent.failure);
  noteUse(c.env, c.executionCtx, principal.key);
  c.set("principal", principal);
  c.set("app", signer.value.app);
  c.set("body", body.value);
  return next();
});

/** The same answer whether there is no such key or it has not signed this. */
async function findSigner(c: HubContext): Promise<Result<KeyRecord>> {
  if (c.var.config.rootKey === null) return fail("not_configured", undefined, { retryAfterSeconds: 30 });
  const { searchParams, pathname } = new URL(c.req.url);
  const parameters = new Map(searchParams);
  if (parameters.size !== searchParams.size) return fail("parameter_invalid", "A parameter stands twice.");
  const { auth_key: keyId, auth_signature: hex, auth_version: version } = Object.fromEntries(parameters);
  if (keyId === undefined || hex === undefined || version !== "1.0") return fail("unauthenticated", UNSIGNED);
  const record = await findPusherKey(c, keyId);
  if (!record.ok) return record.failure.code === "key_not_found" ? fail("signature_invalid") : record;
  const secrets = await pusherSecretsOf(c.env, record.value, Date.now());
  const isSigned = pathsOf(pathname).some(
    (path) => signerOf(secrets, requestContent(c.req.method, path, parameters), hex) !== null,
  );
  if (!isSigned) return fail("signature_invalid");
  return isRecent(parameters.get("auth_timestamp")) ? ok(record.value) : fail("signature_invalid", OLD);
}

const UNSIGNED = "The request brings auth_key, auth_timestamp, auth_version 1.0 and auth_signature.";
const OLD = `auth_timestamp is in seconds, and within ${LIMITS.PUSHER_CLOCK_MS_MAX / 1_000} of the hub's clock.`;

/** Libraries sign the path before it is escaped for its address, or after. */
function pathsOf(pathname: string): readonly string[] {
  try {
    return [...new Set([pathname, decodeURIComponent(pathname)])];
  } catch {
    return [pathname];
  }
}

function isRecent(seconds: string | undefined): boolean {
  const at = /^\d{1,12}$/.test(seconds ?? "") ? Number(seconds) * 1_000 : NaN;
  return Math.abs(Date.now() - at) <= LIMITS.PUSHER_CLOCK_MS_MAX;
}

/** The signature covers the body's digest, and only then the digest the body. */
async function readSignedBody(c: HubContext): Promise<Result<string>> {
  const bytes = await readBytes(c.req.raw);
  if (!bytes.ok) return bytes;
  const expected = c.req.query("body_md5");
  if (expected === undefined && bytes.value.byteLength === 0) return ok("");
  const digest = createHash("md5").update(bytes.value).digest("hex");
  return digest === expected ? decodeUtf8(bytes.value) : fail("signature_invalid", "body_md5 is not the body's.");
}

const principalOf = (record: KeyRecord): KeyPrincipal => ({
  kind: "key",
  app: record.app.id,
  appName: record.app.name,
  quotas: record.app.quotas,
  key: record.id,
  secret: markOf(record.secretHash),
  keyQuotas: record.quotas,
  scopes: record.scopes,
  expiresAt: record.expiresAt,
});
