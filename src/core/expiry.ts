/**
 * Until when an event may still reach somebody: the extension `expirytime` (CloudEvents, documented extensions, "Expiry
 * Time"), which a CloudEvent brings itself and a draft's `ttl` becomes when it is appended.
 */
import { parseTimestampMs } from "./timestamp.ts";

/** The extension's name. */
export const EXPIRES = "expirytime";

/** Of a line as the log keeps it, milliseconds; null: for as long as the log keeps it. */
export function expiryIn(line: string): number | null {
  if (!line.includes(`,"${EXPIRES}":"`)) return null; // Almost every line; where data holds this text, we look closer.
  const { [EXPIRES]: value } = JSON.parse(line) as { readonly [EXPIRES]?: string };
  return value === undefined ? null : parseTimestampMs(value);
}

/** Of the line that a draft becomes: the same, without a look at its data where nothing says when it expires. */
export const expiryOf = (draft: MayExpire, line: string): number | null =>
  draft.ttlMs === undefined && !draft.attributes.includes(EXPIRES) ? null : expiryIn(line);

interface MayExpire {
  readonly attributes: string;
  readonly ttlMs?: number;
}

export function isExpired(line: string, now: number): boolean {
  const expiresAt = expiryIn(line);
  return expiresAt !== null && expiresAt <= now;
}
