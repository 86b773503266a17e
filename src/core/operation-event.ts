/** How the hub tells operators of what it does by itself: events on the app's topic `$system.operations`, in order. */
import type { FieldError } from "./errors.ts";
import { matchesTopicPattern } from "./names.ts";
import { announceSystemEvent, OPERATIONS_TOPIC, type Announcement } from "./system-event.ts";

export type OperationNews =
  /** Its breaker has opened: deliveries wait, and one probes now and then. */
  | { readonly kind: "endpoint.failing"; readonly failures: number; readonly failingSince: string }
  | { readonly kind: "endpoint.recovered" }
  /** So many events wait to be examined; `level`: it has made up for it. */
  | { readonly kind: "subscription.lagging"; readonly lag: number; readonly threshold: number }
  | { readonly kind: "subscription.level"; readonly lag: number }
  /** Its oldest delivery has been owed for long; `moving`: it is not any more. */
  | { readonly kind: "subscription.stalled"; readonly owed: number; readonly oldestOwedAt: string }
  | { readonly kind: "subscription.moving"; readonly owed: number }
  /** A delivery has used up its attempts, the first since one was taken. */
  | {
      readonly kind: "subscription.exhausted";
      readonly topic: string;
      readonly partition: number;
      readonly offset: number;
      readonly attempts: number;
    }
  /** `gone`: its target asked never to be called again. `failing`: it has failed for as long as its owner waits. */
  | { readonly kind: "subscription.disabled"; readonly reason: "gone" }
  | {
      readonly kind: "subscription.disabled";
      readonly reason: "failing";
      readonly failures: number;
      readonly failingSince: string;
    };

/** What becomes of a topic, as `OperationNews` tells of subscriptions. */
export type TopicNews =
  /** The object of one of its partitions holds so much that publishes will soon be refused; `roomy`: no more. */
  | {
      readonly kind: "topic.filling";
      readonly partition: number;
      readonly bytes: number;
      readonly threshold: number;
      readonly limit: number;
    }
  | { readonly kind: "topic.roomy"; readonly partition: number; readonly bytes: number }
  /** Its schema policy has refused events of a type. */
  | ({ readonly kind: "schema.rejected" } & SchemaRejection);

export interface SchemaRejection {
  readonly type: string;
  /** That the event was held against; null: it named none that there is. */
  readonly version: number | null;
  /** What was wrong with it, the first of it. */
  readonly errors: readonly FieldError[];
  /** Who published it: `key:<id>`, `user:<key>:<id>`, `root`. */
  readonly producer: string;
  /** Since the type was told of last, this one too; a request counts once, and again for each line that goes alone. */
  readonly refusals: number;
}

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

/** `topic` by name. */
export const announceTopicOperation = ({ kind, ...told }: TopicNews, topic: string, id: string): Announcement =>
  announceSystemEvent({
    type: `tidings.${kind}`,
    id,
    source: `/topics/${topic}`,
    subject: topic,
    data: { topic, ...told },
  });
