/** The story of one event as a sequence diagram of Mermaid. */
import { unreachable } from "../../core/assert.ts";
import type { EventStory, StoryStage, SubscriptionStory } from "../../core/event-story.ts";
import { mermaidLabel } from "./mermaid-label.ts";

/** Participants have numbers, because names may hold what Mermaid reads as its own. */
export function formatMermaidStory({ event, subscriptions, stages, complete }: EventStory): string {
  const idOf = new Map(subscriptions.map(({ subscription }, index) => [subscription, `s${index}`]));
  const lines = ["sequenceDiagram", `  participant p as ${mermaidLabel(String(event["source"]))}`];
  lines.push(`  participant t as ${mermaidLabel(`${String(event["topic"])} / ${String(event["partition"])}`)}`);
  for (const { subscription, target } of subscriptions) {
    const id = idOf.get(subscription)!;
    lines.push(`  participant ${id} as ${mermaidLabel(subscription)}`);
    lines.push(`  participant ${id}t as ${mermaidLabel(target)}`);
  }
  lines.push(`  p->>t: ${mermaidLabel(String(event["type"]))}`);
  for (const stage of stages) lines.push(...formatStage(stage, idOf));
  for (const story of subscriptions) {
    lines.push(`  Note over ${idOf.get(story.subscription)!}: ${OUTCOMES[story.outcome]}`);
  }
  if (!complete) lines.push("  Note over t: more subscriptions follow than are shown");
  return `${lines.join("\n")}\n`;
}

function formatStage(stage: StoryStage, idOf: ReadonlyMap<string, string>): string[] {
  const time = stage.at.slice(11, 23);
  if (stage.stage === "event.appended") return [`  Note over t: appended at ${time} as offset ${stage.offset}`];
  const id = idOf.get(stage.subscription)!;
  switch (stage.stage) {
    case "delivery.attempted": {
      const isAccepted = stage.error === null && (stage.status ?? 0) < 300;
      const answer = mermaidLabel(stage.error ?? String(stage.status));
      return [
        `  ${id}->>${id}t: attempt ${stage.attempt} at ${time}`,
        `  ${id}t${isAccepted ? "-->>" : "--x"}${id}: ${answer} after ${stage.durationMs} ms`,
      ];
    }
    case "delivery.dead_lettered":
      return [`  Note over ${id}: dead at ${time}, ${mermaidLabel(stage.reason)}`];
    case "delivery.due":
      return [`  Note over ${id}: the next attempt is due at ${time}`];
    default:
      return unreachable(stage);
  }
}

const OUTCOMES: Readonly<Record<SubscriptionStory["outcome"], string>> = {
  not_examined: "not examined yet",
  not_matched: "not for it",
  passed_over: "passed over",
  cancelled: "cancelled with its batch",
  owed: "owed",
  in_flight: "in flight",
  delivered: "delivered",
  dead: "dead",
};
