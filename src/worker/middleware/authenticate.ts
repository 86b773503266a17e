import { createMiddleware } from "hono/factory";
import { readConfig } from "../../config.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { authenticateCredential } from "../access/authenticate-credential.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { problem } from "../respond.ts";

/** Refuses everything until the root key is set, then decides who the request is. */
export const authenticate = createMiddleware<HubBindings>(async (c, next) => {
  const config = readConfig(c.env);
  c.set("config", config);
  if (config.rootKey === null) return problem({ code: "not_configured", retryAfterSeconds: 30 });
  const credential = readCredential(c);
  if (!credential.ok) return problem(credential.failure);
  const shown = {
    credential: credential.value,
    appName: c.req.header("tidings-app") ?? null,
    client: c.req.header("cf-connecting-ip") ?? "local", // Set by the platform, whatever a client sends.
  };
  const judge = () => authenticateCredential(c.env, c.executionCtx, config, shown);
  const authenticated = await judge();
  if (!authenticated.ok) return problem(authenticated.failure);
  c.set("authenticateAgain", judge);
  c.set("principal", authenticated.value.principal);
  c.set("app", authenticated.value.app);
  return next();
});

/**
 * Addresses are logged, and given to others as webhook targets, so a credential may stand in one only where a browser
 * has no other way: to open a socket or a stream. What such an address can do is read.
 */
function readCredential(c: HubContext): Result<string> {
  const inUrl = c.req.query("token") ?? c.req.query("access_token");
  if (inUrl !== undefined) {
    return opensLive(c) && c.req.query("token") !== undefined ? ok(inUrl) : fail("credentials_in_url");
  }
  const [, bearer] = /^Bearer +([\x21-\x7e]+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
  return bearer === undefined ? fail("unauthenticated") : ok(bearer);
}

const EVENTS_PATH = /^\/v1\/topics\/[^/]+\/events$/;

function opensLive({ req }: HubContext): boolean {
  if (req.method !== "GET" && req.method !== "HEAD") return false;
  if (req.path === "/v1/connect") return true;
  return EVENTS_PATH.test(req.path) && (req.header("accept") ?? "").includes("text/event-stream");
}
