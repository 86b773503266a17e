/** `GET /v1/connect`: the upgrade is authenticated here and ends in a hub. */
import { Hono } from "hono";
import type { HubBindings } from "../context.ts";
import { SUBPROTOCOL, upgrade } from "../live.ts";
import { problem } from "../respond.ts";

export const connectRoute = new Hono<HubBindings>().get("/connect", async (c) => {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return problem({ code: "upgrade_required" });
  const offered = (c.req.header("sec-websocket-protocol") ?? "")
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (offered.length > 0 && !offered.includes(SUBPROTOCOL)) return problem({ code: "protocol_invalid" });
  const answer = await upgrade(c.env, c.var.principal, c.req.raw, offered.length > 0 ? SUBPROTOCOL : null);
  return answer.ok ? answer.value : problem(answer.failure);
});
