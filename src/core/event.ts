/** An event on its way into a log, and the line of JSON that the log keeps and every reader gets. */

/**
 * What a front door's codec makes of one event: validated, and cut so that the log only has to add what it alone
 * knows. Payloads stay text from the request to the reader, so that no number or character is changed on the way.
 */
export interface EventDraft {
  /** The client's; null lets the log mint a UUIDv7. */
  readonly id: string | null;
  readonly source: string;
  readonly type: string;
  /** CloudEvents `partitionkey`. */
  readonly key: string | null;
  /** RFC 3339; null stands for the time of the append. */
  readonly time: string | null;
  /** The other attributes as JSON members, each with a comma before it: `,"subject":"42","traceparent":"00-…"`. */
  readonly attributes: string;
  /** `,"data":…` or `,"data_base64":"…"`, minified, or the empty string. */
  readonly data: string;
  /** The key's version that the producer saw (0: no event yet); null: it does not care. */
  readonly expectedKeyVersion: number | null;
}

/** What only the log knows. Offsets count from 1. */
export interface EventPosition {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** RFC 3339: one text for all events of a flush. */
  readonly appendedAt: string;
  readonly keyVersion: number | null;
}

/** The event as a CloudEvent in one line: JSON without raw line breaks. */
export function formatEventLine(draft: EventDraft, id: string, position: EventPosition): string {
  const { appendedAt } = position;
  const key = draft.key === null ? "" : `,"partitionkey":${JSON.stringify(draft.key)}`;
  const keyVersion = position.keyVersion === null ? "" : `,"keyversion":${position.keyVersion}`;
  return (
    `{"specversion":"1.0","id":${JSON.stringify(id)},"source":${JSON.stringify(draft.source)}` +
    `,"type":${JSON.stringify(draft.type)},"time":"${draft.time ?? appendedAt}"${draft.attributes}${key}` +
    `,"topic":"${position.topic}","partition":${position.partition},"offset":${position.offset}` +
    `,"appendedat":"${appendedAt}"${keyVersion}${draft.data}}`
  );
}

/**
 * Lines together are the inside of a JSON array with one event a line: a page of them is an answer as it stands. A line
 * holds no raw line break, so the seam is found again.
 */
const SEAM = ",\n";

export const joinLines = (lines: readonly string[]): string => lines.join(SEAM);

export const splitLines = (body: string): string[] => (body === "" ? [] : body.split(SEAM));

/** The members of an event line that the hub itself reads again. */
export interface EventEnvelope {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly partitionkey?: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly keyversion?: number;
}

export const parseEventLine = (line: string): EventEnvelope => JSON.parse(line) as EventEnvelope;
