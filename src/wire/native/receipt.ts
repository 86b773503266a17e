/** What a publish answers for each event: where it stands, or until when it waits. */
import { formatPartitionCursor } from "../../core/cursor.ts";

/** What a log answers for one event. */
export interface ReceiptEvent {
  readonly id: string;
  readonly offset: number;
  readonly keyVersion: number | null;
  readonly duplicate: boolean;
  /** It stands nowhere yet, but waits until then; milliseconds. */
  readonly deliverAt?: number;
}

/** The life of the partition that took it. */
export interface ReceiptPlace {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
}

/** One receipt as JSON text: a line of the NDJSON answer, or the `receipt` of a `published` frame. */
export function formatReceipt(event: ReceiptEvent, place: ReceiptPlace): string {
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

const formatScheduled = ({ id, duplicate }: ReceiptEvent, { topic, partition }: ReceiptPlace, at: number): string =>
  JSON.stringify({ id, topic, partition, scheduled: true, deliverAt: new Date(at).toISOString(), duplicate });
