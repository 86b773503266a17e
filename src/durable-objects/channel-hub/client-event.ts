/**
 * Client events (core/client-event.ts): from a connection to the channel's log, which passes them on to every hub that
 * follows, and from there to all others who follow. No row is written for them.
 */
import { admitClientEvent, type RelayAnswer, type RelayedEvent } from "../../core/client-event.ts";
import type { ClientMessage } from "../../core/client-message.ts";
import { channelKindOf } from "../../core/channel-kind.ts";
import { formatRelayedLine } from "../../core/event.ts";
import { exclusionIn } from "../../core/exclusion.ts";
import { LIMITS } from "../../core/limits.ts";
import { allows, userOf } from "../../core/principal.ts";
import { fail, type Result } from "../../core/result.ts";
import { topicLog } from "../../stubs.ts";
import { parseDraft } from "../../wire/native/draft.ts";
import type { Connection } from "./connection.ts";
import type { HubState } from "./hub-state.ts";
import type { TopicChannel } from "./topic-channel.ts";

/** Its sender is never sent it back. Said so when it was relayed; one that the topic keeps is left to be published. */
export async function sendClientEvent(
  hub: HubState,
  connection: Connection,
  { ref, topic, event: text }: Extract<ClientMessage, { op: "publish" }>,
): Promise<Result<RelayAnswer>> {
  const { principal } = connection;
  if (!allows(principal, "publish", topic)) return fail("scope_missing");
  const channel = hub.channels.get(topic);
  const admitted = admitClientEvent(topic, channel?.followers.has(connection.id) ?? false);
  if (!admitted.ok) return admitted;
  const draft = parseDraft(text, { source: `/apps/${principal.appName}`, traceparent: null });
  if (!draft.ok) return draft;
  if (draft.value.deliverAt !== undefined) return fail("client_event_refused", "A client event is for now.");
  if (!connection.takeClientEvent(Date.now())) return tooMany();

  const id = draft.value.id ?? crypto.randomUUID();
  const line = formatRelayedLine(draft.value, id, topic, new Date().toISOString());
  const event: RelayedEvent = { line, sender: connection.id, user: speakerOf(hub, connection, topic) };
  const answer = await topicLog(hub.env, principal.app, topic, 0).relay(channel!.followed.life, event);
  if (answer.ok && answer.value.kind === "relayed")
    connection.send(hub.dialect.published(ref, JSON.stringify({ id, topic, stored: false })));
  return answer;
}

const tooMany = (): Result<never> =>
  fail("too_many_client_events", undefined, { limit: LIMITS.CLIENT_EVENTS_PER_SECOND, retryAfterSeconds: 1 });

/** Sends to those who are level: who is behind sees the past just now, and would see this before what led to it. */
export function deliverRelayed(hub: HubState, channel: TopicChannel, events: readonly RelayedEvent[]): void {
  for (const { line, sender, user } of events) {
    const text = hub.dialect.clientEvent(channel.name, line, user);
    if (text === null) continue;
    const excluded = exclusionIn(line);
    let parsed: unknown;
    for (const { connection, behind, pattern, filter } of channel.followers.values()) {
      if (connection.id === sender || behind !== null || excluded?.has(connection.mark) === true) continue;
      if (pattern !== null && !filter.matches((parsed ??= JSON.parse(line)))) continue;
      hub.sendUnacknowledged(connection, text);
    }
  }
}

/** On a presence channel: the member that the connection is there, else the user behind it. */
function speakerOf(hub: HubState, { id, principal }: Connection, topic: string): string | null {
  if (channelKindOf(topic).access !== "presence") return null;
  return hub.seats.find(topic, id)?.member?.id ?? userOf(principal)?.id ?? null;
}
