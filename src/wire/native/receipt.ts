/** What a publish answers for each event: where it stands, or until when it waits. */
import type { Appended } from "../../core/appended.ts";
import { formatPartitionCursor } from "../../core/cursor.ts";

/** The life of the partition that took it. */
export interface ReceiptPlace {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
}

/** One receipt as JSON text: a line of the NDJSON answer, or the `receipt` of a `published` frame. */
export function formatReceipt(event: Appended, place: ReceiptPlace): string {
  const { offset, keyVersion, duplicate, deliverAt } = event;
  const { topic, partition, epoch } = place;
  if (deliverAt !== undefined) return formatScheduled(event, place, deliverAt);
  const cursor = formatPartitionCursor(epoch, partition, offset);
  const version = keyVersion === null ? "" : `,"keyVersion":${keyVersion}`;
  // By hand: a batch answers hundreds of these. Names of topics and cursors need no escapes.
  return (
    `{"id":${JSON.stringify(event.id)},"topic":"${topic}","partition":${partition},"offset":${offset}` +
    `,"cursor":"${cursor}"${version},"duplicate":${duplicate}}`
  );
}

const formatScheduled = ({ id, duplicate }: Appended, { topic, partition }: ReceiptPlace, at: number): string =>
  JSON.stringify({ id, topic, partition, scheduled: true, deliverAt: new Date(at).toISOString(), duplicate });
