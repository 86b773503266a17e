/** What a subscription is: the definition that D1 keeps and the ledger works by. */
import type { AttemptsKept } from "./attempt-history.ts";
import type { BreakerPolicy } from "./breaker.ts";
import type { FilterPattern } from "./filter-pattern.ts";
import { LIMITS } from "./limits.ts";
import { coversTopicPattern } from "./names.ts";
import type { RetryPolicy } from "./retry-schedule.ts";
import type { Lifts } from "./upcast.ts";
import type { WebhookSigning } from "./webhook-signature.ts";

/** `key`: deliveries of one key of one partition go one after the other; `strict`: those of one partition. */
export type Ordering = "key" | "strict";

/** One request carries so much at most; a batch that is not full goes when its first event has waited so long. */
export interface BatchPolicy {
  readonly maxEvents: number;
  readonly maxBytes: number;
  readonly maxWaitMs: number;
}

export type SubscriptionState = "active" | "paused" | "disabled";

export type Target =
  | {
      readonly kind: "webhook";
      readonly url: string;
      /** By name; each value is sealed (`webhookHeaderContext`), because it may be a credential of the target's. */
      readonly headers: Readonly<Record<string, string>>;
      /** Sealed (`webhookSecretContext`); what was stored before there was sealing stands in plain. */
      readonly secret: string;
      /** What signs beside it since the last rotations, the newest first. */
      readonly previousSecrets?: readonly PreviousSecret[];
      /** Absent: structured. */
      readonly contentMode?: "binary" | "envelope";
      /** Absent: "hmac". */
      readonly signing?: WebhookSigning;
      /** Unless it is "hmac". The private half is sealed as the secret is. */
      readonly signingKey?: { readonly privateKey: string; readonly publicKey: string };
      /** The hub's name that the endpoint has consented to; absent: it was not asked. */
      readonly consentedTo?: string;
    }
  | { readonly kind: "listener"; readonly name: string }
  /** Workers come for the deliveries and hold them on lease. */
  | { readonly kind: "pull" }
  /** Another Worker of the owner's, by the service binding that leads to it. */
  | { readonly kind: "worker"; readonly binding: string }
  /** Published again into another topic of the app. */
  | { readonly kind: "topic"; readonly topic: string }
  /** What becomes of channels and members, as Pusher's webhooks tell it, signed with the Pusher secret of that key. */
  | { readonly kind: "pusher"; readonly url: string; readonly key: string };

export type WebhookTarget = Extract<Target, { kind: "webhook" }>;

/** A secret that a rotation has replaced. It signs beside its successor until `until`, milliseconds since 1970. */
export interface PreviousSecret {
  /** Sealed as the secret is; `whsec_…` or `whsk_…`. */
  readonly secret: string;
  readonly until: number;
}

/** Where a subscription begins in the topics it meets. Times are milliseconds since 1970. */
export type SubscriptionStart =
  | { readonly kind: "earliest" }
  /** What is appended after `since`, when its making was asked for. */
  | { readonly kind: "latest"; readonly since: number }
  /** From the first event appended at or after `at`. */
  | { readonly kind: "time"; readonly at: number };

/**
 * A topic that is born this shortly before a subscription was asked for is made in the same instant: which of the two
 * requests came first nobody can tell, so the subscription gets it from its first event.
 */
export const SAME_INSTANT_MS = 5;

/** Where to begin in a topic, given the time of its birth. */
export function startInTopic(start: SubscriptionStart, bornAt: number): Exclude<SubscriptionStart, { kind: "latest" }> {
  if (start.kind !== "latest") return start;
  return bornAt >= start.since - SAME_INSTANT_MS ? { kind: "earliest" } : { kind: "time", at: start.since + 1 };
}

export interface SubscriptionDefinition {
  /** Minted in D1; never reused. */
  readonly id: string;
  readonly app: string;
  readonly name: string;
  /** Grows with each PUT; an older definition never replaces a newer one. */
  readonly revision: number;
  readonly topics: readonly string[];
  /** Patterns that it had before. It may hold events of them still, so who sees it must be allowed these as well. */
  readonly formerTopics?: readonly string[];
  readonly filter: FilterPattern | null;
  readonly start: SubscriptionStart;
  readonly target: Target;
  /** Absent: async. A publish waits for the target, bounded by `timeoutMs`; what it does not deliver goes on async. */
  readonly mode?: "sync";
  readonly retry: RetryPolicy;
  /** Absent: none. A change holds for the events that are examined after it. */
  readonly ordering?: Ordering;
  /** Present: mode `batch`. */
  readonly batch?: BatchPolicy;
  /** Calls of the target, a batch being one. Absent: as many as `maxInFlight` lets go. */
  readonly ratePerSecond?: number;
  readonly maxInFlight: number;
  readonly timeoutMs: number;
  /** Absent in what was stored before there was one: `BREAKER_DEFAULT`. */
  readonly breaker?: BreakerPolicy;
  /** Of these types its target gets events in the version that it asks for. Absent: as they stand in the log. */
  readonly lifts?: Lifts;
  /** Absent: "failures". */
  readonly attempts?: Exclude<AttemptsKept, "failures">;
}

/** Every pattern whose events the subscription may hold: what scopes are judged by. */
export const heldTopics = ({ topics, formerTopics = [] }: SubscriptionDefinition): readonly string[] => [
  ...topics,
  ...formerTopics,
];

/** What it holds beside its next patterns. Of very many only that they are any is kept. */
export function formerTopicsAfter(
  previous: SubscriptionDefinition | null,
  topics: readonly string[],
): readonly string[] {
  if (previous === null) return [];
  const former = [...new Set(heldTopics(previous))].filter(
    (held) => !topics.some((topic) => coversTopicPattern(topic, held)),
  );
  return former.length <= LIMITS.SUBSCRIPTION_TOPICS_MAX ? former : ["**", "$**"];
}
