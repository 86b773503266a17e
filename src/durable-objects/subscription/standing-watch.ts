/**
 * Looks how the subscription stands whenever the ledger is at work anyway, and tells operators when that changes. A
 * ledger at rest is not woken for it: what waits for an attempt is looked at with the attempt.
 */
import type { Config } from "../../config.ts";
import { judgeStanding, WELL, type LedgerLook, type LedgerStanding } from "../../core/ledger-standing.ts";
import { LIMITS } from "../../core/limits.ts";
import { noteOperation } from "./note-operation.ts";
import type { Ledger } from "./ledger.ts";

type Thresholds = Pick<Config, "lagToldEvents" | "stalledToldMs">;

export class StandingWatch {
  readonly #ledger: Ledger;
  readonly #thresholds: Thresholds;
  #standing: LedgerStanding;
  #lookedAt = 0;

  constructor(ledger: Ledger, thresholds: Thresholds) {
    this.#ledger = ledger;
    this.#thresholds = thresholds;
    this.#standing = ledger.meta.read("standing") ?? WELL;
  }

  /** Costs rows read, so not at every call; one that is not well is looked at each time, to tell of its end. */
  look(now: number): void {
    const { isLagging, isStalled } = this.#standing;
    if (this.#ledger.definition === null) return;
    if (!isLagging && !isStalled && now - this.#lookedAt < LIMITS.STANDING_LOOK_MS) return;
    this.#lookedAt = now;
    const { lagToldEvents: lagEvents, stalledToldMs: stalledMs } = this.#thresholds;
    const judged = judgeStanding(this.#standing, lookAt(this.#ledger), { lagEvents, stalledMs }, now);
    if (judged.news.length === 0) return;
    this.#ledger.storage.transactionSync(() => {
      this.#ledger.meta.write("standing", judged.standing);
      for (const news of judged.news) noteOperation(this.#ledger, news);
    });
    this.#standing = judged.standing;
  }
}

function lookAt(ledger: Ledger): LedgerLook {
  const { retries, waiting, dispatches, sources, heads } = ledger;
  const open = dispatches.all();
  const since = [
    retries.oldestOwedSince(),
    waiting.oldestOwedSince(),
    ...open.filter(({ parked }) => !parked).map(({ openedAt }) => openedAt),
  ].filter((at) => at !== null);
  let lag: number | null = 0;
  for (const { id, examined, behind } of sources.live()) {
    const head = heads.get(id);
    if (head !== undefined) lag = lag === null ? null : lag + Math.max(0, head - examined);
    else if (behind) lag = null;
  }
  const dispatched = open.reduce((sum, { deliveries }) => sum + deliveries.length, 0);
  const owed = dispatched + retries.countWaiting() + waiting.count();
  return { lag, owed, oldestOwedAt: since.length === 0 ? null : Math.min(...since) };
}
