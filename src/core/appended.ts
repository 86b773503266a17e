/**
 * What a log answers for each event of an append, on its way back as one text: as with drafts (draft-text.ts), to clone
 * a hundred objects costs more than to say what they hold. Three lines an event; what few events have is JSON.
 */
import { assert } from "./assert.ts";

export interface Appended {
  readonly id: string;
  /** 0 with `deliverAt`. */
  readonly offset: number;
  readonly keyVersion: number | null;
  readonly duplicate: boolean;
  /** It is not appended yet, but waits until then; milliseconds. */
  readonly deliverAt?: number;
}

type Rare = Omit<Appended, "id" | "offset">;

const FIELDS = 3;

/** In the order of the drafts; no id holds a line break. */
export const formatAppended = (events: readonly Appended[]): string => events.map(formatOne).join("\n");

const formatOne = (event: Appended): string => `${event.id}\n${event.offset}\n${formatRare(event)}`;

function formatRare({ keyVersion, duplicate, deliverAt }: Rare): string {
  const isPlain = keyVersion === null && !duplicate && deliverAt === undefined;
  return isPlain ? "" : JSON.stringify({ keyVersion, duplicate, deliverAt });
}

export function parseAppended(text: string): Appended[] {
  const fields = text.split("\n");
  assert(fields.length % FIELDS === 0, "each event is of so many lines");
  const events: Appended[] = [];
  for (let at = 0; at < fields.length; at += FIELDS) {
    const [id, offset, rare] = [fields[at]!, Number(fields[at + 1]!), fields[at + 2]!];
    events.push(
      rare === "" ? { id, offset, keyVersion: null, duplicate: false } : { id, offset, ...(JSON.parse(rare) as Rare) },
    );
  }
  return events;
}
