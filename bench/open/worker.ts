/**
 * The hub without its authentication: everyone is the root key of the default app. What the same request costs here and
 * in the hub itself is what knowing who asks costs. It is never deployed.
 */
import { createMiddleware } from "hono/factory";
import { readConfig } from "../../src/config.ts";
import { ok } from "../../src/core/result.ts";
import type { Env } from "../../src/env.ts";
import hub from "../../src/index.ts";
import type { Authenticated } from "../../src/worker/access/authenticated.ts";
import { buildApp } from "../../src/worker/app.ts";
import type { HubBindings } from "../../src/worker/context.ts";

export * from "../../src/index.ts";

const APP = { id: "app_default", name: "default", origins: null, quotas: {}, createdAt: 0 };

const EVERYONE: Authenticated = {
  app: APP,
  principal: { kind: "root", app: APP.id, appName: APP.name, quotas: APP.quotas },
};

const everyone = createMiddleware<HubBindings>(async (c, next) => {
  c.set("config", readConfig(c.env));
  c.set("app", APP);
  c.set("principal", EVERYONE.principal);
  c.set("authenticateAgain", () => Promise.resolve(ok(EVERYONE)));
  return next();
});

export default { ...hub, fetch: buildApp(everyone).fetch } satisfies ExportedHandler<Env>;
