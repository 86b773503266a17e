/** What becomes of channels and members, and what clients say there, in the words of Pusher's webhooks. */
import { members } from "../../core/json-text.ts";
import { pusherEventOf } from "./event-data.ts";

/** The library compares it letter by letter. */
export const WEBHOOK_TYPE = "application/json";

interface SystemEvent {
  readonly type: string;
  readonly data?: {
    readonly channel?: string;
    readonly user?: string;
    readonly subscriptions?: number;
    readonly connection?: string;
  };
}

type Named = { readonly name: string; readonly channel: string | undefined };

/**
 * The body for one event of the hub's own topics; null: Pusher has no webhook for it. `now` in milliseconds.
 */
export function formatWebhook(line: string, now: number): string | null {
  const event = JSON.parse(line) as SystemEvent;
  const told = event.type === "channel.client_event" ? clientEventOf(event, line) : webhookEventOf(event);
  return told === null ? null : JSON.stringify({ time_ms: now, events: [told] });
}

function webhookEventOf({ type, data = {} }: SystemEvent): (Named & Record<string, unknown>) | null {
  const { channel, user, subscriptions } = data;
  switch (type) {
    case "channel.occupied":
      return { name: "channel_occupied", channel };
    case "channel.vacated":
      return { name: "channel_vacated", channel };
    case "channel.cache_miss":
      return { name: "cache_miss", channel };
    case "channel.subscription_count":
      return { name: "subscription_count", channel, subscription_count: subscriptions };
    case "member.added":
      return { name: "member_added", channel, user_id: user };
    case "member.removed":
      return { name: "member_removed", channel, user_id: user };
    default:
      return null;
  }
}

/** Its data is the string that the channel's clients had; absent where the event was too large to be told whole. */
function clientEventOf({ data = {} }: SystemEvent, line: string): Named & Record<string, unknown> {
  const { channel, connection, user } = data;
  const sent = memberOf(memberOf(line, "data"), "event");
  const { name: event, text } = pusherEventOf(sent);
  const hasData = members(sent).some(({ name }) => name === "data" || name === "data_base64");
  return {
    name: "client_event",
    channel,
    event,
    ...(hasData && { data: text }),
    socket_id: connection,
    ...(user !== undefined && { user_id: user }),
  };
}

const memberOf = (text: string, name: string): string => members(text).find((member) => member.name === name)!.raw;
