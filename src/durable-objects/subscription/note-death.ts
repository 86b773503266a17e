/** Puts a death into the ledger's outbox, for the app's topic of dead letters. */
import { announceDeadLetter, announcesDeaths } from "../../core/dead-letter-event.ts";
import { deliveryKey } from "../../core/keys.ts";
import type { DeadLetterRow } from "./dead-letter-store.ts";
import type { Ledger } from "./ledger.ts";

export type Death = Omit<DeadLetterRow, "seq" | "diedAt">;

/** In the transaction of the death. */
export function noteDeath(ledger: Ledger, death: Death): void {
  const { source, offset, reason, fingerprint, redrives, line, attempts } = death;
  const { definition } = ledger;
  if (definition === null || !announcesDeaths(definition.topics)) return;
  const { topic, partition } = ledger.sources.get(source)!;
  const delivery = deliveryKey(ledger.subscriptionId, source, offset);
  const { name: subscription } = definition;
  const news = { subscription, delivery, topic, partition, offset, reason, fingerprint, redrives, attempts };
  ledger.announcements.insert(announceDeadLetter(news, line));
}
