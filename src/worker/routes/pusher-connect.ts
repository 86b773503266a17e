/** `GET /app/{key}`: where Pusher's clients connect. */
import { Hono } from "hono";
import { readConfig } from "../../config.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { upgrade } from "../live.ts";
import { admitClient } from "../pusher/admit-client.ts";
import { refuseSocket } from "../pusher/refuse.ts";
import { reach } from "../reach.ts";
import { problem } from "../respond.ts";

export const pusherConnectRoute = new Hono<HubBindings>().get("/app/:key", async (c) => {
  if (c.req.header("upgrade")?.toLowerCase() !== "websocket") return problem({ code: "upgrade_required" });
  c.set("config", readConfig(c.env));
  const refusedAs = refuseProtocol(c);
  if (refusedAs !== null)
    return refuseSocket({ code: "protocol_invalid", detail: "The hub speaks protocol 7." }, refusedAs);
  const principal = await reach(() => admitClient(c, c.req.param("key")));
  if (!principal.ok) return refuseSocket(principal.failure);
  const answer = await upgrade(c.env, principal.value, c.req.raw, null);
  return answer.ok ? answer.value : refuseSocket(answer.failure);
});

const PROTOCOL = "7";

/** Pusher's number for what is wrong with it; null: nothing is. */
function refuseProtocol(c: HubContext): number | null {
  const asked = c.req.query("protocol");
  if (asked === undefined) return 4008;
  return asked === PROTOCOL ? null : 4007;
}
