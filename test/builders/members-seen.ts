/** What a socket was told of the members of presence channels, held to what any client may rely on. */
import type { HubMessage } from "../harness/socket.ts";

interface Heard {
  readonly messages: readonly HubMessage[];
}

interface WireMember {
  readonly id: string;
  readonly data: unknown;
}

export interface SeenMembers {
  readonly version: number;
  /** Data by id. */
  readonly members: ReadonlyMap<string, unknown>;
}

/** What the socket was told of the channel's members since it subscribed last; throws where that is inconsistent. */
export function membersSeen({ messages }: Heard, channel: string): SeenMembers {
  const first = messages.findLastIndex(
    ({ op, topic, members }) => op === "subscribed" && topic === channel && !!members,
  );
  if (first < 0) throw new Error(`it does not see the members of ${channel}`);
  let version = messages[first]!["version"] as number;
  const members = new Map((messages[first]!["members"] as WireMember[]).map(({ id, data }) => [id, data]));
  for (const message of messages.slice(first + 1)) {
    if (message.topic !== channel || !message.op.startsWith("member_")) continue;
    version = apply(members, message, version);
  }
  return { version, members };
}

function apply(members: Map<string, unknown>, message: HubMessage, version: number): number {
  const { id, data } = message["member"] as WireMember;
  const next = message["version"] as number;
  if (next <= version) throw new Error(`version ${next} after ${version}`);
  if (members.has(id) === (message.op === "member_added")) throw new Error(`${message.op} of ${id} out of turn`);
  if (message.op === "member_removed") members.delete(id);
  else members.set(id, data);
  return next;
}

export const memberOps = ({ messages }: Heard): string[] =>
  messages.filter(({ op }) => op.startsWith("member_")).map(({ op, member }) => `${op} ${(member as WireMember).id}`);
