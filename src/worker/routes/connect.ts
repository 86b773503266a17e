/** `GET /v1/connect`: the upgrade is authenticated here and ends in a hub. */
import { Hono } from "hono";
import { channelHub } from "../../stubs.ts";
import type { HubBindings } from "../context.ts";
import { SUBPROTOCOL, upgradeRequest } from "../live.ts";
import { problem } from "../respond.ts";

export const connectRoute = new Hono<HubBindings>().get("/connect", (c) => {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return problem({ code: "upgrade_required" });
  const offered = (c.req.header("sec-websocket-protocol") ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (offered.length > 0 && !offered.includes(SUBPROTOCOL)) return problem({ code: "protocol_invalid" });
  const { principal } = c.var;
  return channelHub(c.env, principal.app, "native").fetch(
    upgradeRequest(principal, offered.length > 0 ? SUBPROTOCOL : null),
  );
});
