/** What becomes of channels and members, in the words of Pusher's webhooks. */

/** The library compares it letter by letter. */
export const WEBHOOK_TYPE = "application/json";

interface SystemEvent {
  readonly type: string;
  readonly data?: { readonly channel?: string; readonly user?: string; readonly subscriptions?: number };
}

type Named = { readonly name: string; readonly channel: string | undefined };

/**
 * The body for one event of `$system.channels` or `$system.presence`; null: Pusher has no webhook for it. `now` in
 * milliseconds.
 */
export function formatWebhook(line: string, now: number): string | null {
  const event = JSON.parse(line) as SystemEvent;
  const told = webhookEventOf(event);
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
