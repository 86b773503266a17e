import { createMiddleware } from "hono/factory";
import { readConfig } from "../../config.ts";
import { fail, type Result } from "../../core/result.ts";
import type { Principal } from "../../core/principal.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { problem } from "../respond.ts";
import { findApp } from "../app-directory.ts";

/** Refuses everything until the root key is set, then decides who the request is. */
export const authenticate = createMiddleware<HubBindings>(async (c, next) => {
  const config = readConfig(c.env);
  c.set("config", config);
  if (config.rootKey === null) return problem({ code: "not_configured", retryAfterSeconds: 30 });
  const principal = await authenticateRequest(c, config.rootKey);
  if (!principal.ok) return problem(principal.failure);
  c.set("principal", principal.value);
  return next();
});

async function authenticateRequest(c: HubContext, rootKey: string): Promise<Result<Principal>> {
  const credential = readCredential(c);
  if (!credential.ok) return credential;
  if (!equalSecrets(credential.value, rootKey)) return fail("unauthenticated");
  const appName = c.req.header("tidings-app") ?? "default";
  const app = await findApp(c.env.DB, appName);
  return app === null ? fail("app_not_found") : { ok: true, value: { kind: "root", app, appName } };
}

/** Addresses are logged, so a credential may stand in one only where a browser has no other way: sockets and SSE. */
function readCredential(c: HubContext): Result<string> {
  const inUrl = c.req.query("token") ?? c.req.query("access_token");
  if (inUrl !== undefined) {
    const live = c.req.path === "/v1/connect" || (c.req.header("accept") ?? "").includes("text/event-stream");
    return live && c.req.query("token") !== undefined ? { ok: true, value: inUrl } : fail("credentials_in_url");
  }
  const [, bearer] = /^Bearer +([\x21-\x7e]+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
  return bearer === undefined ? fail("unauthenticated") : { ok: true, value: bearer };
}

/** In constant time for its length, which is no secret. */
function equalSecrets(given: string, expected: string): boolean {
  const [left, right] = [encoder.encode(given), encoder.encode(expected)];
  return left.byteLength === right.byteLength && crypto.subtle.timingSafeEqual(left, right);
}

const encoder = new TextEncoder();
