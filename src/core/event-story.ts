/** The story of one event: put together when it is asked for, of what its log and the ledgers hold. */
import type { ConsumedEvent } from "./event.ts";
import type { DeliveryReport } from "./subscription-report.ts";
import { traceIdsOf } from "./trace-context.ts";

/**
 * What became of an event in one subscription. `not_examined`: it is behind its log. `passed_over`: it began or was
 * moved behind the event, or gave it up. `cancelled`: the job that it is was not begun, or not tried again, because its
 * batch was cancelled. `delivered` may have no deliveries here: their rows are kept where the owner asks for all
 * attempts.
 */
export interface EventFate {
  readonly outcome: "not_examined" | "not_matched" | "passed_over" | "cancelled" | DeliveryReport["state"];
  readonly deliveries: readonly StoryDelivery[];
}

/** A delivery of the event, with its end where it is dead. */
export interface StoryDelivery extends DeliveryReport {
  readonly death: { readonly at: string; readonly reason: string } | null;
}

export interface SubscriptionStory extends EventFate {
  readonly subscription: string;
  /** The kind of its target. */
  readonly target: string;
}

/** `attempt` counts from 1 over the attempts that are kept. */
export type StoryStage =
  | { readonly stage: "event.appended"; readonly at: string; readonly partition: number; readonly offset: number }
  | {
      readonly stage: "delivery.attempted";
      readonly at: string;
      readonly subscription: string;
      readonly delivery: string;
      readonly attempt: number;
      readonly durationMs: number;
      readonly status: number | null;
      readonly error: string | null;
      readonly excerpt: string;
    }
  | {
      readonly stage: "delivery.dead_lettered";
      readonly at: string;
      readonly subscription: string;
      readonly delivery: string;
      readonly reason: string;
    }
  /** Its next attempt, which lies ahead. */
  | {
      readonly stage: "delivery.due";
      readonly at: string;
      readonly subscription: string;
      readonly delivery: string;
    };

export interface EventStory {
  readonly event: Readonly<Record<string, unknown>>;
  readonly trace: {
    readonly traceId: string;
    readonly traceparent: string;
    readonly tracestate: string | null;
  } | null;
  readonly subscriptions: readonly SubscriptionStory[];
  /** In the order of time. */
  readonly stages: readonly StoryStage[];
  /** False: more subscriptions follow the topic than are asked for one story. */
  readonly complete: boolean;
}

/** `line`: as it stands in the log. Everything but the payload is told of it. */
export function storyOf(line: string, subscriptions: readonly SubscriptionStory[], complete: boolean): EventStory {
  const { data: _data, data_base64: _base64, ...event } = JSON.parse(line) as ConsumedEvent;
  const { partition, offset } = event as ConsumedEvent;
  const { appendedat: at, traceparent, tracestate = null } = event as unknown as Attributes;
  const appended: StoryStage = { stage: "event.appended", at, partition, offset };
  const later = subscriptions.flatMap(stagesOf).toSorted((left, right) => compareText(left.at, right.at));
  return {
    event,
    trace: traceparent === undefined ? null : { traceId: traceIdsOf(traceparent).traceId, traceparent, tracestate },
    subscriptions,
    stages: [appended, ...later],
    complete,
  };
}

interface Attributes {
  readonly appendedat: string;
  readonly traceparent?: string;
  readonly tracestate?: string;
}

const compareText = (left: string, right: string): number => (left < right ? -1 : Number(left > right));

const stagesOf = ({ subscription, deliveries }: SubscriptionStory): StoryStage[] =>
  deliveries.flatMap(({ id: delivery, attempts, death, nextAttemptAt }) => {
    const of = { subscription, delivery };
    const stages: StoryStage[] = attempts.map((attempt, index) => {
      return { stage: "delivery.attempted", ...of, attempt: index + 1, ...attempt };
    });
    if (death !== null) stages.push({ stage: "delivery.dead_lettered", ...of, ...death });
    if (nextAttemptAt !== null) stages.push({ stage: "delivery.due", ...of, at: nextAttemptAt });
    return stages;
  });
