/** Users of presence channels: a token for each, and what one of their sockets has been told of the members. */
import { ROOT_KEY, type Hub } from "../harness/hub.ts";
import { TestSocket, type SocketOptions } from "../harness/socket.ts";
import { membersSeen } from "./members-seen.ts";

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

/** Waits until the socket sees exactly these. */
export const untilMembers = (socket: TestSocket, channel: string, ids: readonly string[]): Promise<void> =>
  socket.until(
    () => [...membersSeen(socket, channel).members.keys()].toSorted().join() === ids.toSorted().join(),
    `the members ${ids.join()}`,
  );
