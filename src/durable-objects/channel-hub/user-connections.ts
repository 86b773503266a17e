/** What is done with all connections of a user in this hub, and what the hub tells of its connections. */
import type { Failure } from "../../core/errors.ts";
import { userOf } from "../../core/principal.ts";
import type { HubOverview } from "../rpc/channel-hub.ts";
import type { Connection } from "./connection.ts";
import type { HubState } from "./hub-state.ts";

/** Answers how many connections had room for it; one that has not keeps up with what it was sent misses it. */
export function sendToUser(hub: HubState, user: string, line: string): number {
  const text = hub.dialect.userEvent(user, line);
  if (text === null) return 0;
  return connectionsOf(hub, user).filter((connection) => hub.sendUnacknowledged(connection, text)).length;
}

/** Answers how many there were. */
export function endUser(hub: HubState, user: string, failure: Failure): number {
  const connections = connectionsOf(hub, user);
  for (const connection of connections) hub.end(connection, failure);
  return connections.length;
}

export const countUser = (hub: HubState, user: string): number => connectionsOf(hub, user).length;

export function overviewOf(hub: HubState): HubOverview {
  const users = [...hub.connections.values()].map(({ principal }) => userOf(principal)?.id);
  return { sockets: users.length, users: new Set(users.filter((user) => user !== undefined)).size };
}

const connectionsOf = (hub: HubState, user: string): Connection[] =>
  [...hub.connections.values()].filter(({ principal }) => userOf(principal)?.id === user);
