/**
 * Tells the app's topic of dead letters what died, in order and at least once: the log takes each death once by its id.
 * Nothing waits for it, and what it could not tell now the alarm tells.
 */
import { announceDeadLetter, announcesDeaths } from "../../core/dead-letter-event.ts";
import { deadLetterFingerprint } from "../../core/dead-letter-fingerprint.ts";
import { deliveryKey } from "../../core/keys.ts";
import { logStage } from "../../observability/log.ts";
import type { WorkerGateRpc } from "../rpc.ts";
import type { DeadLetterRow } from "./dead-letter-store.ts";
import type { Ledger } from "./ledger.ts";

const ANNOUNCED_AT_ONCE = 100;

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

export class Announcer {
  readonly #ledger: Ledger;
  readonly #gate: () => WorkerGateRpc;
  #running: Promise<void> | null = null;

  constructor(ledger: Ledger, gate: () => WorkerGateRpc) {
    this.#ledger = ledger;
    this.#gate = gate;
  }

  /** Resolves when everything is told or something could not be; never rejects. */
  run(): Promise<void> {
    if (this.#ledger.announcements.isEmpty()) return Promise.resolve();
    this.#running ??= this.#tellAll().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #tellAll(): Promise<void> {
    const { announcements, app, subscriptionId: subscription } = this.#ledger;
    try {
      for (let rows = announcements.first(ANNOUNCED_AT_ONCE); rows.length > 0;) {
        const told = await this.#gate().announceDeadLetters(app, rows);
        if (!told.ok) return logStage("dead_letters.not_announced", { app, subscription, code: told.failure.code });
        announcements.removeThrough(rows.at(-1)!.seq);
        rows = announcements.first(ANNOUNCED_AT_ONCE);
      }
    } catch (error) {
      logStage("dead_letters.not_announced", { app, subscription, error: String(error) });
    }
  }
}
