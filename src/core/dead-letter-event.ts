/** How the hub tells of a dead letter: an event on the app's topic `$dead-letters`. */
import type { AttemptRecord } from "./delivery-decision.ts";
import { LIMITS } from "./limits.ts";
import { matchesTopicPattern } from "./names.ts";
import type { Announcement } from "./system-event.ts";
import { fitsUtf8 } from "./utf8.ts";

export const DEAD_LETTERS_TOPIC = "$dead-letters";

const EVENT_TYPE = "tidings.dead_letter.created";
/** What the announcement may need beside the event that it carries. */
const OVERHEAD_BYTES = 16 * 1_024;

export interface DeadLetterNews {
  /** By name. */
  readonly subscription: string;
  /** `deliveryKey(…)`. */
  readonly delivery: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly reason: string;
  readonly fingerprint: string;
  /** How often it came back from the dead before. */
  readonly redrives: number;
  readonly attempts: readonly AttemptRecord[];
}

/** Whoever reads of dead letters must not be told of its own for ever. */
export const announcesDeaths = (topics: readonly string[]): boolean =>
  !topics.some((pattern) => matchesTopicPattern(pattern, DEAD_LETTERS_TOPIC));

/**
 * With the event where it fits. The id is the delivery's with the number of its death, so that the log takes each death
 * once.
 */
export function announceDeadLetter(news: DeadLetterNews, line: string): Announcement {
  const { attempts, ...told } = news;
  const bare = JSON.stringify({
    type: EVENT_TYPE,
    id: `${news.delivery}_${news.redrives + 1}`,
    source: `/subscriptions/${news.subscription}`,
    subject: news.subscription,
    data: { ...told, attempts: attempts.length, lastAttempt: attempts.at(-1) ?? null },
  });
  const fits = line !== "" && fitsUtf8(line, LIMITS.EVENT_BYTES_MAX - OVERHEAD_BYTES);
  return { full: fits ? `${bare.slice(0, -"}}".length)},"event":${line}}}` : bare, bare };
}
