/** What became of one event: the deliveries of it that the ledger still has rows of. */
import { parseEventLine } from "../../core/event.ts";
import { deliveryKey } from "../../core/keys.ts";
import { formatListCursor, type DeliveryPlace } from "../../core/ledger-ids.ts";
import type { Env } from "../../env.ts";
import { topicLog } from "../../stubs.ts";
import type { DeliveryReport } from "../../core/subscription-report.ts";
import { lifeOfEpoch, type Ledger } from "./ledger.ts";
import { listDead, listDeliveries, reportDelivered } from "./list-deliveries.ts";

/** Logs that are asked for one event; a subscription of more partitions than these is told of the first. */
const LOGS_ASKED_MAX = 200;

/**
 * By the event's id, in each log that the ledger follows: ids are unique within their source only, so there may be
 * several. One that its log no longer holds is not found. Rejects when a log cannot be reached.
 */
export async function findDeliveries(ledger: Ledger, env: Env, eventId: string): Promise<DeliveryReport[]> {
  const sources = ledger.sources.live().slice(0, LOGS_ASKED_MAX);
  const lines = await Promise.all(
    sources.map(({ topic, partition, epoch }) =>
      topicLog(env, ledger.app, topic, partition).find(lifeOfEpoch(epoch), eventId),
    ),
  );
  return sources.flatMap((life, index) => {
    const found = lines[index]!;
    if (!found.ok || found.value === null) return [];
    const { offset } = parseEventLine(found.value);
    return ledger.sources.ofLife(life).flatMap(({ id: source }) => reportPlace(ledger, { source, offset }));
  });
}

/** The delivery of that place, in whatever state there are rows of it; none where there are no rows. */
export function reportPlace(ledger: Ledger, place: DeliveryPlace): DeliveryReport[] {
  const id = deliveryKey(ledger.subscriptionId, place.source, place.offset);
  const before = formatListCursor({ ...place, offset: place.offset - 1 });
  const owed = listDeliveries(ledger, "owed", before, 1).items.filter((item) => item.id === id);
  if (owed.length > 0) return owed;
  const dead = ledger.deadLetters.find(place);
  if (dead !== null) return [...listDead(ledger, formatListCursor({ source: 0, offset: dead.seq - 1 }), 1).items];
  const delivered = ledger.delivered.find(place);
  return delivered === null ? [] : [reportDelivered(ledger, delivered)];
}
