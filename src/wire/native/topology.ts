/** `GET /v1/topology` as a flowchart of Mermaid. */
import type { Topology } from "../../core/topology.ts";
import { mermaidLabel as label } from "./mermaid-label.ts";

/** Nodes have numbers, because names may hold what Mermaid reads as its own. */
export function formatMermaidTopology({ topics, flows }: Topology): string {
  const lines = ["flowchart LR"];
  const topicIds = new Map(topics.map(({ name }, index) => [name, `t${index}`]));
  for (const { name } of topics) lines.push(`  ${topicIds.get(name)!}[["${label(name)}"]]`);
  for (const [index, { subscription, patterns, topics: followed, target }] of flows.entries()) {
    const id = `s${index}`;
    const shown = followed.length === 0 ? `${subscription} (${patterns.join(" ")})` : subscription;
    lines.push(`  ${id}("${label(shown)}")`);
    for (const topic of followed) lines.push(`  ${topicIds.get(topic)!} --> ${id}`);
    const republished = target.kind === "topic" ? topicIds.get(target.name) : undefined;
    lines.push(
      republished === undefined
        ? `  ${id} --> c${index}{{"${label(`${target.kind} ${target.name}`)}"}}`
        : `  ${id} --> ${republished}`,
    );
  }
  return `${lines.join("\n")}\n`;
}
