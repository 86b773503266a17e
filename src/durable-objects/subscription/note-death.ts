/** Puts a death into the ledger's outbox, for the app's topic of dead letters. */
import { announceDeadLetter, announcesDeaths } from "../../core/dead-letter-event.ts";
import { deadLetterFingerprint } from "../../core/dead-letter-fingerprint.ts";
import { deliveryKey } from "../../core/keys.ts";
import type { DeadLetterRow } from "./dead-letter-store.ts";
import type { Ledger } from "./ledger.ts";

export type Death = Pick<DeadLetterRow, "source" | "offset" | "reason" | "redrives" | "line" | "attempts">;

/** In the transaction of the death. */
export function noteDeath(ledger: Ledger, { source, offset, reason, redrives, line, attempts }: Death): void {
  const { definition } = ledger;
  if (definition === null || !announcesDeaths(definition.topics)) return;
  const { topic, partition } = ledger.sources.get(source)!;
  const delivery = deliveryKey(ledger.subscriptionId, source, offset);
  const fingerprint = deadLetterFingerprint(reason, attempts.at(-1));
  const { name: subscription } = definition;
  const news = { subscription, delivery, topic, partition, offset, reason, fingerprint, redrives, attempts };
  ledger.announcements.insert(announceDeadLetter(news, line));
}
