/** Which topics lead through which subscriptions to whom: the app's flows as they are defined. */
import { filterFields } from "./filter-fields.ts";
import { matchesTopicPattern } from "./names.ts";
import type { SubscriptionDefinition, Target } from "./subscription.ts";

export interface TopologyTopic {
  readonly name: string;
  readonly partitions: number;
  readonly schemaPolicy: "off" | "warn" | "enforce";
}

export interface TopologyFlow {
  readonly subscription: string;
  /** As it was defined, and the topics that match it now. */
  readonly patterns: readonly string[];
  readonly topics: readonly string[];
  /** What its filter reads, as JSON Pointers. */
  readonly fields: readonly string[];
  readonly target: {
    readonly kind: Target["kind"];
    /** Whom it reaches: a host, a name; never a whole address. */ readonly name: string;
  };
}

export interface Topology {
  readonly topics: readonly TopologyTopic[];
  readonly flows: readonly TopologyFlow[];
}

export function topologyOf(
  topics: readonly TopologyTopic[],
  subscriptions: readonly Pick<SubscriptionDefinition, "name" | "topics" | "filter" | "target">[],
): Topology {
  const flows = subscriptions.map(({ name, topics: patterns, filter, target }) => ({
    subscription: name,
    patterns,
    topics: topics
      .map((topic) => topic.name)
      .filter((topic) => patterns.some((each) => matchesTopicPattern(each, topic))),
    fields: filterFields(filter),
    target: { kind: target.kind, name: nameOf(target) },
  }));
  return { topics: topics.map(({ name, partitions, schemaPolicy }) => ({ name, partitions, schemaPolicy })), flows };
}

function nameOf(target: Target): string {
  switch (target.kind) {
    case "webhook":
    case "pusher":
      return new URL(target.url).host;
    case "listener":
      return target.name;
    case "worker":
      return target.binding;
    case "topic":
      return target.topic;
    case "pull":
      return "workers";
  }
}
