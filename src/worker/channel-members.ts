/**
 * Who is present in a channel, as its room knows. The isolate may remember a topic as it was before it was deleted and
 * made again; the room finds that out, and the topic is looked for anew.
 */
import type { MemberReport } from "../core/roster.ts";
import type { Result } from "../core/result.ts";
import type { MembersPage, PresenceRoomRpc } from "../durable-objects/rpc/presence-room.ts";
import { presenceRoom } from "../stubs.ts";
import type { HubContext } from "./context.ts";
import { findTopic, withTopic } from "./topic-directory.ts";

/** By id, after `after`. Fails with `topic_not_found`; rejects when the room cannot be reached. */
export const readMembers = (
  c: HubContext,
  channel: string,
  after: string,
  limit: number,
): Promise<Result<MembersPage>> => askRoom(c, channel, (room, epoch) => room.members(epoch, after, limit));

/** Of a channel that is no topic there are none. Rejects likewise. */
export async function countMembers(c: HubContext, channel: string): Promise<number> {
  const page = await readMembers(c, channel, "", 1);
  return page.ok ? page.value.count : 0;
}

/** Null: that user is not here. Fails and rejects likewise. */
export const findMember = (c: HubContext, channel: string, user: string): Promise<Result<MemberReport | null>> =>
  askRoom(c, channel, (room, epoch) => room.member(epoch, user));

function askRoom<Answer>(
  c: HubContext,
  channel: string,
  ask: (room: DurableObjectStub<PresenceRoomRpc>, epoch: number) => Promise<Result<Answer>>,
): Promise<Result<Answer>> {
  const { app } = c.var.principal;
  const find = () => findTopic(c.env, app, channel);
  return withTopic(app, channel, find, ({ epoch }) => ask(presenceRoom(c.env, app, channel), epoch));
}
