/** Tells batches what became of their jobs: at least once, and each batch counts a job once. */
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { batch } from "../../stubs.ts";
import type { Ledger } from "./ledger.ts";

const TOLD_AT_ONCE = 500;

export class BatchTeller {
  readonly #ledger: Ledger;
  readonly #env: Env;
  #running: Promise<void> | null = null;

  constructor(ledger: Ledger, env: Env) {
    this.#ledger = ledger;
    this.#env = env;
  }

  /** Resolves when all is told or something could not be; never rejects. */
  run(): Promise<void> {
    if (!this.#ledger.batchDeliveries.hasEnded()) return Promise.resolve();
    this.#running ??= this.#tellAll().finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #tellAll(): Promise<void> {
    const { app, subscriptionId, batchDeliveries, storage } = this.#ledger;
    try {
      for (let ended = batchDeliveries.someEnded(TOLD_AT_ONCE); ended.length > 0;) {
        const reports = ended.map(({ index, run, outcome, reason }) => ({ index, run, outcome, reason }));
        await batch(this.#env, app, ended[0]!.batch).settle(reports);
        storage.transactionSync(() => {
          for (const place of ended) batchDeliveries.removeEnded(place);
        });
        ended = batchDeliveries.someEnded(TOLD_AT_ONCE);
      }
    } catch (error) {
      logStage("batch.not_told", { app, subscription: subscriptionId, error: String(error) });
    }
  }
}
