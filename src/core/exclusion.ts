/**
 * Which connections an event is not sent to: its publisher's own, mostly. It is written into the event as the extension
 * `excludes`, so it holds in every hub, in a backlog and after any eviction. The log keeps marks, not connection ids:
 * whoever reads the event learns nothing that could be used.
 */
import { hash53 } from "./hash53.ts";

/** The extension's name. */
export const EXCLUDES = "excludes";

export const connectionMark = (connection: string): string => hash53(connection);

/** The extension's value. */
export const formatExclusion = (connections: readonly string[]): string => connections.map(connectionMark).join(" ");

/** Marks in a line as the log keeps it; null: everybody is sent the event. */
export function exclusionIn(line: string): ReadonlySet<string> | null {
  if (!line.includes(`,"${EXCLUDES}":"`)) return null; // Almost every line; where data holds this text, we look closer.
  const { [EXCLUDES]: value } = JSON.parse(line) as { readonly [EXCLUDES]?: string };
  return value === undefined ? null : new Set(value.split(" "));
}
