/** Which topics lead through which subscriptions to whom: the app's flows as they are defined. */
import { filterFields } from "./filter-fields.ts";
import { matchesTopicPattern } from "./names.ts";
import type { Producer } from "./sighting.ts";
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

/** Who was seen to publish into which topics. */
export interface TopologyProducer {
  readonly source: string;
  readonly topics: readonly string[];
}

export interface Topology {
  readonly producers: readonly TopologyProducer[];
  readonly topics: readonly TopologyTopic[];
  readonly flows: readonly TopologyFlow[];
}

export function topologyOf(
  topics: readonly TopologyTopic[],
  subscriptions: readonly Pick<SubscriptionDefinition, "name" | "topics" | "filter" | "target">[],
  seen: readonly Pick<Producer, "source" | "topic">[] = [],
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
  return {
    producers: producersOf(new Set(topics.map(({ name }) => name)), seen),
    topics: topics.map(({ name, partitions, schemaPolicy }) => ({ name, partitions, schemaPolicy })),
    flows,
  };
}

/** By source; topics that are gone are left out. */
function producersOf(topics: ReadonlySet<string>, seen: readonly Pick<Producer, "source" | "topic">[]) {
  const bySource = new Map<string, Set<string>>();
  for (const { source, topic } of seen) {
    if (!topics.has(topic)) continue;
    const known = bySource.get(source);
    if (known === undefined) bySource.set(source, new Set([topic]));
    else known.add(topic);
  }
  return [...bySource].map(([source, into]) => ({ source, topics: [...into] }));
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
