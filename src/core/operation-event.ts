/** How the hub tells operators of what it does by itself: events on the app's topic `$system.operations`, in order. */
import { matchesTopicPattern } from "./names.ts";
import { announceSystemEvent, OPERATIONS_TOPIC, type Announcement } from "./system-event.ts";

export type OperationNews =
  /** Its breaker has opened: deliveries wait, and one probes now and then. */
  | { readonly kind: "endpoint.failing"; readonly failures: number; readonly failingSince: string }
  | { readonly kind: "endpoint.recovered" }
  /** `gone`: its target asked never to be called again. `failing`: it has failed for as long as its owner waits. */
  | { readonly kind: "subscription.disabled"; readonly reason: "gone" }
  | {
      readonly kind: "subscription.disabled";
      readonly reason: "failing";
      readonly failures: number;
      readonly failingSince: string;
    };

/** Whoever reads of operations must not be told of its own for ever. */
export const announcesOperations = (topics: readonly string[]): boolean =>
  !topics.some((pattern) => matchesTopicPattern(pattern, OPERATIONS_TOPIC));

/** `id` is minted once; `subscription` by name. */
export const announceOperation = ({ kind, ...told }: OperationNews, subscription: string, id: string): Announcement =>
  announceSystemEvent({
    type: `tidings.${kind}`,
    id,
    source: `/subscriptions/${subscription}`,
    subject: subscription,
    data: { subscription, ...told },
  });
