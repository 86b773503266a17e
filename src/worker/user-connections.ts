/** What is done with all connections of a user, whichever hubs they are in. Each answers how many there were. */
import type { ChannelHubRpc } from "../durable-objects/rpc/channel-hub.ts";
import { AuditStore } from "../store/audit-store.ts";
import { auditActorOf, callerOf } from "./caller.ts";
import type { HubContext } from "./context.ts";
import { everyHub } from "./hub-directory.ts";

/** `line` as `ChannelHubRpc.sendToUser` has it. */
export const sendToUser = (c: HubContext, user: string, line: string): Promise<number> =>
  sumOverHubs(c, (hub) => hub.sendToUser(user, line));

export const countUser = (c: HubContext, user: string): Promise<number> => sumOverHubs(c, (hub) => hub.countUser(user));

/** Those that are open now. The user may come again, unless its tokens are revoked. */
export async function disconnectUser(c: HubContext, user: string): Promise<number> {
  const actor = auditActorOf(callerOf(c));
  const entry = { ...actor, action: "user.disconnected", subject: user, before: null, after: null } as const;
  await new AuditStore(c.env.DB).record(entry);
  return sumOverHubs(c, (hub) => hub.endUser(user, { code: "user_disconnected" }));
}

async function sumOverHubs(
  c: HubContext,
  ask: (hub: DurableObjectStub<ChannelHubRpc>) => Promise<number>,
): Promise<number> {
  const counts = await Promise.all((await everyHub(c.env, c.var.principal.app)).map(ask));
  return counts.reduce((sum, count) => sum + count, 0);
}
