/**
 * How often an event has gone from topic to topic: the extension `hubhops`, which only the hub writes. Ids end most
 * ways round by themselves, since a topic takes an event once; the count ends the others.
 */
import type { EventDraft } from "./event.ts";

const HOPS = `"hubhops":`;

/** 0 for an event that a producer published. */
export function hopsOf(line: string): number {
  // Most events have none, and are not parsed for it.
  if (!line.includes(HOPS)) return 0;
  const { hubhops } = JSON.parse(line) as { readonly hubhops?: unknown };
  return typeof hubhops === "number" ? hubhops : 0;
}

/** Beside what an event may have, so that none grows over a limit by travelling. */
export const withHops = (draft: EventDraft, hops: number): EventDraft => ({
  ...draft,
  attributes: `${draft.attributes},${HOPS}${hops}`,
});
