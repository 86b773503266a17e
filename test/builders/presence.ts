/** Users of presence channels: a token for each, and what one of their sockets has been told of the members. */
import { ROOT_KEY, type Hub } from "../harness/hub.ts";
import { TestSocket, type HubMessage, type SocketOptions } from "../harness/socket.ts";

export interface UserOptions extends SocketOptions {
  readonly data?: unknown;
  readonly scopes?: readonly string[];
  readonly ttl?: string;
}

export async function makeUserToken(hub: Hub, id: string, { data, scopes, ttl = "10m" }: UserOptions = {}) {
  const user = data === undefined ? { id } : { id, data };
  const asked = { scopes: scopes ?? ["subscribe:presence-*", "presence:presence-*"], user, ttl };
  const { status, body } = await hub.json<{ token: string; id: string }>("POST", "/v1/tokens", asked);
  if (status >= 300) throw new Error(`no token: ${JSON.stringify(body)}`);
  return body;
}

export async function connectUser(hub: Hub, id: string, options: UserOptions = {}): Promise<TestSocket> {
  const { token } = await makeUserToken(hub, id, options);
  return connectAs(hub, token, options);
}

export const connectAs = (hub: Hub, credential: string, options: SocketOptions = {}): Promise<TestSocket> =>
  TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${credential}`, options);

/** Looks on without being a member. */
export const connectObserver = (hub: Hub): Promise<TestSocket> => connectAs(hub, ROOT_KEY);

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
export function membersSeen({ messages }: TestSocket, channel: string): SeenMembers {
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

/** Waits until the socket sees exactly these. */
export const untilMembers = (socket: TestSocket, channel: string, ids: readonly string[]): Promise<void> =>
  socket.until(
    () => [...membersSeen(socket, channel).members.keys()].toSorted().join() === ids.toSorted().join(),
    `the members ${ids.join()}`,
  );

export const memberOps = (socket: TestSocket): string[] =>
  socket.messages
    .filter(({ op }) => op.startsWith("member_"))
    .map(({ op, member }) => `${op} ${(member as WireMember).id}`);
