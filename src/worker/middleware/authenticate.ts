import { createMiddleware } from "hono/factory";
import { readConfig } from "../../config.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Principal } from "../../core/principal.ts";
import type { HubBindings, HubContext } from "../context.ts";
import type { AppRecord } from "../../store/apps-store.ts";
import { problem } from "../respond.ts";
import { findApp } from "../app-directory.ts";

/** Refuses everything until the root key is set, then decides who the request is. */
export const authenticate = createMiddleware<HubBindings>(async (c, next) => {
  const config = readConfig(c.env);
  c.set("config", config);
  if (config.rootKey === null) return problem({ code: "not_configured", retryAfterSeconds: 30 });
  const authenticated = await authenticateRequest(c, config.rootKey);
  if (!authenticated.ok) return problem(authenticated.failure);
  c.set("principal", authenticated.value.principal);
  c.set("app", authenticated.value.app);
  return next();
});

interface Authenticated {
  readonly principal: Principal;
  readonly app: AppRecord;
}

async function authenticateRequest(c: HubContext, rootKey: string): Promise<Result<Authenticated>> {
  const credential = readCredential(c);
  if (!credential.ok) return credential;
  if (!equalSecrets(credential.value, rootKey)) return fail("unauthenticated");
  const appName = c.req.header("tidings-app") ?? "default";
  const app = await findApp(c.env.DB, appName);
  if (app === null) return fail("app_not_found");
  return ok({ app, principal: { kind: "root", app: app.id, appName, quotas: app.quotas } });
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
