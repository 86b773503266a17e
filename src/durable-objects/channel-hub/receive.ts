/** One message of a client, worked on in its turn. What it asks for is done by the verb's own file. */
import { unreachable } from "../../core/assert.ts";
import type { ClientMessage } from "../../core/client-message.ts";
import type { Failure } from "../../core/errors.ts";
import { hasEnded } from "./admission.ts";
import type { Connection } from "./connection.ts";
import type { HubAlarm } from "./hub-alarm.ts";
import type { HubState } from "./hub-state.ts";
import type { Presence } from "./presence.ts";
import { publish } from "./publish.ts";
import { refresh } from "./refresh.ts";
import type { Replays } from "./replay.ts";
import { signIn } from "./sign-in.ts";
import { admitAndSubscribe } from "./signed-subscribe.ts";
import type { SignedInUsers } from "./signed-in-users.ts";
import { totalOf } from "./topic-channel.ts";

/** What a message may need of its hub. */
export interface Receiver {
  readonly hub: HubState;
  readonly alarm: HubAlarm;
  readonly replays: Replays;
  readonly presence: Presence;
  readonly users: SignedInUsers;
}

/** A message may have waited for those before it, and its sender's credential may have ended or changed with them. */
export async function receiveInTime(receiver: Receiver, connection: Connection, message: ClientMessage): Promise<void> {
  const { hub } = receiver;
  if (!hub.connections.has(connection.id)) return;
  if (hasEnded(connection.principal, Date.now())) return hub.end(connection, { code: "credential_expired" });
  try {
    return await receive(receiver, connection, message);
  } catch (error) {
    // The store or a log cannot be reached. Each message has its own answer, and those behind it their try.
    console.warn(JSON.stringify({ stage: "hub.message_failed", op: message.op, error: String(error) }));
    return refuse(hub, connection, message, { code: "hub_overloaded", retryAfterSeconds: 1 });
  }
}

/** `message`: what is refused; null: a frame that could not be read. */
export function refuse(hub: HubState, connection: Connection, message: ClientMessage | null, failure: Failure): void {
  if (failure.code === "frame_too_large") hub.end(connection, failure);
  else connection.send(hub.dialect.error(failure, message));
}

async function receive(
  { hub, alarm, replays, presence, users }: Receiver,
  connection: Connection,
  message: ClientMessage,
): Promise<void> {
  switch (message.op) {
    case "subscribe": {
      const failure = await admitAndSubscribe(hub, replays, presence, alarm, connection, message);
      return failure === null ? undefined : refuse(hub, connection, message, failure);
    }
    case "unsubscribe":
      hub.unfollow(connection, message.topic);
      return connection.send(hub.dialect.unsubscribed(message.ref, message.topic));
    case "publish": {
      const failure = await publish(hub, connection, message);
      return failure === null ? undefined : refuse(hub, connection, message, failure);
    }
    case "ack":
      connection.acknowledge(message.topic, totalOf([...message.cursor.offsets.values()]));
      return replays.startOf(connection.id);
    case "refresh": {
      const failure = await refresh(hub, alarm, connection, message);
      return failure === null ? undefined : refuse(hub, connection, message, failure);
    }
    case "sign_in": {
      const failure = await signIn(hub, alarm, users, connection, message);
      return failure === null ? undefined : refuse(hub, connection, message, failure);
    }
    case "pong":
      connection.acknowledgeProbe();
      return replays.startOf(connection.id);
    case "ping":
      return connection.send(hub.dialect.pong);
    case "presence": {
      const failure = await presence.sayAnew(connection, message);
      return failure === null ? undefined : refuse(hub, connection, message, failure);
    }
    case "refused":
      return refuse(hub, connection, message, message.failure);
    default:
      return unreachable(message);
  }
}
