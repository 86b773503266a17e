/** `GET /v1/topology` as a flowchart of Mermaid. */
import type { Topology } from "../../core/topology.ts";
import { mermaidLabel as label } from "./mermaid-label.ts";

/** What Mermaid draws unless its settings say otherwise. */
const EDGES_MAX = 500;
const CHARS_MAX = 45_000;

/** Nodes have numbers, because names may hold what Mermaid reads as its own. */
export function formatMermaidTopology({ producers, topics, flows }: Topology): string {
  const chart = new Chart();
  const topicIds = new Map(topics.map(({ name }, index) => [name, `t${index}`]));
  for (const { name } of topics) chart.add(`${topicIds.get(name)!}[["${label(name)}"]]`);
  for (const [index, { source, topics: into }] of producers.entries()) {
    chart.add(`p${index}(["${label(source)}"])`);
    for (const topic of into) chart.join(`p${index}`, topicIds.get(topic)!);
  }
  for (const [index, { subscription, patterns, topics: followed, target }] of flows.entries()) {
    const id = `s${index}`;
    const shown = followed.length === 0 ? `${subscription} (${patterns.join(" ")})` : subscription;
    chart.add(`${id}("${label(shown)}")`);
    for (const topic of followed) chart.join(topicIds.get(topic)!, id);
    const republished = target.kind === "topic" ? topicIds.get(target.name) : undefined;
    chart.join(id, republished ?? `c${index}{{"${label(`${target.kind} ${target.name}`)}"}}`);
  }
  return chart.text();
}

class Chart {
  readonly #lines = ["flowchart LR"];
  #edges = 0;
  #chars = 0;
  #isFull = false;

  add(node: string): void {
    this.#isFull ||= this.#chars + node.length > CHARS_MAX;
    if (this.#isFull) return;
    this.#chars += node.length + 3;
    this.#lines.push(`  ${node}`);
  }

  join(from: string, to: string): void {
    this.#isFull ||= this.#edges === EDGES_MAX;
    this.#edges += 1;
    this.add(`${from} --> ${to}`);
  }

  text(): string {
    return `${this.#lines.join("\n")}\n${this.#isFull ? "%% What does not fit in stands in the JSON.\n" : ""}`;
  }
}
