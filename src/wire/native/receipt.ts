/** What a publish answers for each event: where it stands, or until when it waits. */
import type { Appended } from "../../core/appended.ts";
import { partitionCursors } from "../../core/cursor.ts";

/** The life of the partition that took it. */
export interface ReceiptPlace {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
}

/** One receipt as JSON text: a line of the NDJSON answer, or the `receipt` of a `published` frame. */
export const formatReceipt = (event: Appended, place: ReceiptPlace): string => receiptFormat(place)(event);

export type ReceiptFormat = (event: Appended) => string;

/** `formatReceipt` for many of one partition: what they have in common is written once. */
export function receiptFormat(place: ReceiptPlace): ReceiptFormat {
  const { topic, partition, epoch } = place;
  const cursorAfter = partitionCursors(epoch, partition);
  const common = `,"topic":"${topic}","partition":${partition},"offset":`;
  return (event) => {
    const { id, offset, keyVersion, duplicate, deliverAt } = event;
    if (deliverAt !== undefined) return formatScheduled(event, place, deliverAt);
    const version = keyVersion === null ? "" : `,"keyVersion":${keyVersion}`;
    // By hand: a batch answers hundreds of these. Names of topics and cursors need no escapes.
    return (
      `{"id":${JSON.stringify(id)}${common}${offset},"cursor":"${cursorAfter(offset)}"${version}` +
      `,"duplicate":${duplicate}}`
    );
  };
}

const formatScheduled = ({ id, duplicate }: Appended, { topic, partition }: ReceiptPlace, at: number): string =>
  JSON.stringify({ id, topic, partition, scheduled: true, deliverAt: new Date(at).toISOString(), duplicate });
