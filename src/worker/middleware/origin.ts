import { createMiddleware } from "hono/factory";
import type { HubBindings, HubContext } from "../context.ts";
import { problem } from "../respond.ts";

/**
 * Holds browser tokens to the origins of their app, where it lists any: a page elsewhere that got hold of one cannot
 * use it. What a browser sends with an upgrade or an `EventSource` it cannot leave out, and CORS does not guard those;
 * other requests are held to the list when they name an origin. Backends, with a key, are not looked at.
 */
export const checkOrigin = createMiddleware<HubBindings>(async (c, next) => {
  const { origins } = c.get("app");
  if (origins === null || c.get("principal").kind !== "token") return next();
  const origin = c.req.header("origin");
  const isAllowed = origin === undefined ? !isLive(c) : origins.includes(origin);
  return isAllowed ? next() : problem({ code: "origin_not_allowed" });
});

const isLive = (c: HubContext): boolean =>
  c.req.header("upgrade") !== undefined || (c.req.header("accept") ?? "").includes("text/event-stream");
