import { createMiddleware } from "hono/factory";
import { readConfig } from "../../config.ts";
import type { HubBindings } from "../context.ts";
import { problem } from "../respond.ts";

/**
 * A hub on the platform that has a setting for local runs stays closed, however the setting came there: with it
 * webhooks could go anywhere. Every request that comes through the platform's edge carries `cf-ray`; no local one does.
 */
export const refuseLocalSettings = createMiddleware<HubBindings>(async (c, next) => {
  const isDeployed = c.req.header("cf-ray") !== undefined;
  return isDeployed && readConfig(c.env).allowPrivateTargets ? problem(LOCAL_SETTING) : next();
});

const LOCAL_SETTING = {
  code: "not_configured",
  detail: "ALLOW_PRIVATE_TARGETS is for local runs: take it away from the deployed hub.",
  retryAfterSeconds: 30,
} as const;
