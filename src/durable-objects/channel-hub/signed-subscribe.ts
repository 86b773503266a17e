/** Before a subscribe: where signatures open channels, what is public is open to all, and the rest is signed for. */
import { channelKindOf } from "../../core/channel-kind.ts";
import type { ClientMessage, SignedProof } from "../../core/client-message.ts";
import type { Failure } from "../../core/errors.ts";
import type { Member } from "../../core/member.ts";
import { userOf } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { USER_CHANNEL } from "../../wire/pusher/client-frames.ts";
import { parseChannelData } from "../../wire/pusher/user-data.ts";
import type { SignedAsk } from "../../core/signed-ask.ts";
import { endingAt } from "./admission.ts";
import type { Connection } from "./connection.ts";
import type { HubAlarm } from "./hub-alarm.ts";
import type { HubState } from "./hub-state.ts";
import type { Presence } from "./presence.ts";
import type { Replays } from "./replay.ts";
import { subscribe } from "./subscribe.ts";

type SubscribeMessage = Extract<ClientMessage, { op: "subscribe" }>;

/** Answers a failure to be told, or null when everything was said. */
export async function admitAndSubscribe(
  hub: HubState,
  replays: Replays,
  presence: Presence,
  alarm: HubAlarm,
  connection: Connection,
  message: SubscribeMessage,
): Promise<Failure | null> {
  const { topic, ref, proof } = message;
  if (proof === undefined) return subscribe(hub, replays, presence, connection, message);
  if (topic.startsWith(USER_CHANNEL)) return followOneself(hub, connection, message);
  const { access } = channelKindOf(topic);
  const opened = access === "public" ? ok(null) : await openBySignature(hub, alarm, connection, topic, proof);
  if (!opened.ok) return opened.failure;
  const member = access === "presence" ? memberOf(connection, proof) : ok(undefined);
  if (!member.ok) return member.failure;
  const follows = hub.channels.get(topic)?.followers.has(connection.id) ?? false;
  const as = member.value === undefined ? {} : { member: member.value };
  if (!follows) return subscribe(hub, replays, presence, connection, { ...message, ...as });
  const shown = member.value === undefined ? null : presence.show(connection, topic);
  connection.send(hub.dialect.subscribed(ref, topic, "", shown)); // Once more is harmless, and moves nobody.
  return null;
}

/** Without data of its own that was signed, who has signed in is a member as that user. */
function memberOf(connection: Connection, { data }: SignedProof): Result<Member> {
  if (data !== null) return parseChannelData(data);
  const user = userOf(connection.principal);
  return user === null ? fail("presence_user_missing") : ok(user);
}

/** A user's own channel is no topic: what it brings comes by `sendToUser`, whoever has asked for it. */
function followOneself(hub: HubState, connection: Connection, { topic, ref }: SubscribeMessage): Failure | null {
  const user = userOf(connection.principal);
  if (user === null || topic !== USER_CHANNEL + user.id)
    return { code: "scope_missing", detail: "Only who has signed in as that user may follow its channel." };
  connection.send(hub.dialect.subscribed(ref, topic, "", null));
  return null;
}

function openBySignature(
  hub: HubState,
  alarm: HubAlarm,
  connection: Connection,
  topic: string,
  proof: SignedProof,
): Promise<Result<null>> {
  const ask = { kind: "channel", channel: topic, data: proof.data } as const;
  return admitSigned(hub, alarm, connection, ask, proof.auth);
}

/** Whoever was let in by a secret that ends goes with it. */
export async function admitSigned(
  hub: HubState,
  alarm: HubAlarm,
  connection: Connection,
  ask: SignedAsk,
  auth: string,
): Promise<Result<null>> {
  const signed = await hub.gate.verifySigned(connection.principal, connection.id, ask, auth);
  if (!signed.ok) return signed;
  if (!hub.connections.has(connection.id)) return fail("credential_revoked"); // It was ended meanwhile.
  if (signed.value !== null) {
    hub.authorize(connection, endingAt(connection.principal, signed.value));
    alarm.arrange();
  }
  return ok(null);
}
