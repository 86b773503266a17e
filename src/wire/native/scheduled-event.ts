/** An event that waits for its time, as `GET /v1/topics/{topic}/scheduled` shows it. */
import { formatDuration } from "../../core/duration.ts";

interface WaitingEvent {
  readonly id: string;
  readonly deliverAt: number;
  readonly partition: number;
  readonly ttlMs: number | null;
  /** JSON text. */
  readonly line: string;
}

export function formatScheduledEvent({ id, deliverAt, partition, ttlMs, line }: WaitingEvent): string {
  const ttl = ttlMs === null ? "" : `,"ttl":"${formatDuration(ttlMs)}"`;
  const at = new Date(deliverAt).toISOString();
  return `{"id":${JSON.stringify(id)},"deliverAt":"${at}","partition":${partition}${ttl},"event":${line}}`;
}
