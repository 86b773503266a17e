/** What a topic keeps that nobody has defined: an app's policies by the pattern of its name. */
import { LIMITS } from "./limits.ts";
import { matchesTopicPattern } from "./names.ts";
import type { Retention } from "./retention.ts";

export interface TopicPolicy {
  readonly name: string;
  /** Patterns. */
  readonly topics: readonly string[];
  readonly retention: Retention;
  readonly description: string | null;
}

/**
 * `retention: "none"`: no history. The events go through the log all the same, in order and to every subscription, and
 * stay there for as long as a live reader may need who stumbles.
 */
export const NO_HISTORY: Retention = { maxAgeMs: LIMITS.RETENTION_NONE_MS };

/** What is to bind the topic; null: no policy speaks of it. `policies` are in the order of their names. */
export const policyFor = (policies: readonly TopicPolicy[], topic: string): TopicPolicy | null =>
  policies.find(({ topics }) => topics.some((pattern) => matchesTopicPattern(pattern, topic))) ?? null;
