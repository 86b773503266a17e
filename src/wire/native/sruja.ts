/**
 * `GET /v1/topology` in the words of Sruja: systems with their queues and containers, a scenario for each topic that
 * somebody follows, a flow for each subscription that publishes again, and views on them.
 */
import type { Topology, TopologyFlow, TopologyTopic } from "../../core/topology.ts";

/** What stands in a diagram has a number for its name, because the real names may hold what Sruja reads as its own. */
interface Named extends Topology {
  readonly topicIds: ReadonlyMap<string, string>;
  readonly producerIds: ReadonlyMap<string, string>;
}

export function formatSrujaTopology(topology: Topology): string {
  const named = {
    ...topology,
    topicIds: new Map(topology.topics.map(({ name }, index) => [name, `T${index}`])),
    producerIds: new Map(topology.producers.map(({ source }, index) => [source, `P${index}`])),
  };
  const parts = [
    [`import { * } from 'sruja.ai/stdlib'`],
    named.producers.map(({ source }) => `${named.producerIds.get(source)!} = system ${quote(source)}`),
    hubSystem(named),
    named.flows.flatMap((flow, index) => targetSystem(named, flow, index)),
    ...named.topics.map((topic) => scenario(named, topic)),
    ...named.flows.map((flow, index) => pipeline(named, flow, index)),
    ...views(named),
  ];
  return `${parts
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join("\n"))
    .join("\n\n")}\n`;
}

function hubSystem(named: Named): string[] {
  return block(`Hub = system "Tidings"`, [
    ...named.topics.flatMap((topic) => queue(named, topic)),
    ...named.flows.flatMap(container),
    ...named.topics.flatMap(({ name }) => publishers(named, name, "Publishes")),
    ...named.flows.flatMap((flow, index) => [
      ...flow.topics.map((topic) => `${named.topicIds.get(topic)!} -> S${index} "Gives its events"`),
      delivery(named, flow, index),
    ]),
  ]);
}

const queue = ({ topicIds }: Named, { name, partitions, schemaPolicy }: TopologyTopic): string[] =>
  block(`${topicIds.get(name)!} = queue ${quote(name)}`, [
    `technology "Tidings topic"`,
    `description "Partitions: ${partitions}; schemas: ${schemaPolicy}"`,
  ]);

const container = ({ subscription, patterns, fields }: TopologyFlow, index: number): string[] =>
  block(`S${index} = container ${quote(subscription)}`, [
    `technology "Tidings subscription"`,
    `description ${quote(`Follows ${patterns.join(", ")}${fields.length > 0 ? `; reads ${fields.join(", ")}` : ""}`)}`,
  ]);

const publishers = ({ producers, producerIds, topicIds }: Named, topic: string, says: string): string[] =>
  producers
    .filter(({ topics }) => topics.includes(topic))
    .map(({ source }) => `${producerIds.get(source)!} -> ${topicIds.get(topic)!} "${says}"`);

/** A topic of the hub is no system of its own. */
const isInside = ({ topicIds }: Named, { target }: TopologyFlow): boolean =>
  target.kind === "topic" && topicIds.has(target.name);

const targetSystem = (named: Named, flow: TopologyFlow, index: number): string[] =>
  isInside(named, flow)
    ? []
    : block(`C${index} = system ${quote(flow.target.name)}`, [`description "Reached as ${flow.target.kind}"`]);

const delivery = (named: Named, flow: TopologyFlow, index: number): string =>
  isInside(named, flow)
    ? `S${index} -> ${named.topicIds.get(flow.target.name)!} "Publishes again"`
    : `S${index} -> C${index} "Delivers"`;

/** What becomes of an event of the topic. */
function scenario(named: Named, { name }: TopologyTopic): string[] {
  const id = named.topicIds.get(name)!;
  const followers = named.flows.flatMap((flow, index) =>
    flow.topics.includes(name) ? [`${id} -> S${index} "Gives the event"`, delivery(named, flow, index)] : [],
  );
  if (followers.length === 0) return [];
  return block(`Event${id} = scenario ${quote(`An event of ${name}`)}`, [
    ...publishers(named, name, "Publishes the event"),
    ...followers,
  ]);
}

function pipeline(named: Named, flow: TopologyFlow, index: number): string[] {
  if (!isInside(named, flow) || flow.topics.length === 0) return [];
  return block(`flow Republish${index} ${quote(`${flow.subscription} to ${flow.target.name}`)}`, [
    ...flow.topics.map((topic) => `${named.topicIds.get(topic)!} -> S${index} "Gives its events"`),
    delivery(named, flow, index),
  ]);
}

function views(named: Named): string[][] {
  const topics = [...named.topicIds.values()].map((id) => `Hub.${id}`);
  const subscriptions = named.flows.map((_, index) => `Hub.S${index}`);
  const outside = named.flows.flatMap((flow, index) => (isInside(named, flow) ? [] : [`C${index}`]));
  return [
    block("view index", [`title "Everything"`, "include *"]),
    block("view eventflow", [
      `title "Topics and who follows them"`,
      ...[...topics, ...subscriptions].map((id) => `include ${id}`),
      ...apart([...named.producerIds.values(), ...outside]),
    ]),
    block("view delivery", [
      `title "Subscriptions and whom they reach"`,
      ...[...subscriptions, ...outside].map((id) => `include ${id}`),
      ...apart([...named.producerIds.values(), ...topics]),
    ]),
  ];
}

const apart = (excluded: readonly string[]): string[] =>
  excluded.length === 0 ? [] : [`exclude ${excluded.join(" ")}`];

const block = (head: string, lines: readonly string[]): string[] => [
  `${head} {`,
  ...lines.map((line) => `  ${line}`),
  "}",
];

/** Sruja documents no escapes: what would end a string or a line stands for itself by something harmless. */
const quote = (text: string): string =>
  `"${text
    .replaceAll('"', "'")
    .replaceAll("\\", "/")
    .replaceAll(/[\p{C}\u2028\u2029]/gu, " ")}"`;
