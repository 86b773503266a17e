/** The ledger's one alarm: it finds what nobody came back for. */
import { nextAlarmAt, ringDelayMs } from "../../core/ledger-schedule.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import type { DispatchMessage } from "../../queues/messages.ts";
import type { Dispatch } from "./dispatch-store.ts";
import { messageOf } from "./dispatch.ts";
import { lapse } from "./lapse.ts";
import { nextToExamine } from "./lanes.ts";
import type { Ledger } from "./ledger.ts";
import { FIRST_TURN } from "./source-store.ts";

/** Lapses that one run ends; the next run, at once, goes on. */
const LAPSES_PER_RUN = 20;

export class LedgerAlarm {
  readonly #ledger: Ledger;
  /** Null: none is set. */
  #at: number | null = null;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
  }

  /** Before anything else after a wake, so that an alarm that stands is not set again. */
  async load(): Promise<void> {
    this.#at = await this.#ledger.storage.getAlarm();
  }

  /** The platform has taken the alarm that stood. */
  fired(): void {
    this.#at = null;
  }

  /**
   * Sets it when it is due earlier than the one that stands; each setting is a row written. It never stands far ahead:
   * the platform makes a delay of it, which a clock that steps while it stands would make wrong by as much. One that
   * should have come and has not is set anew.
   */
  async stand(now: number): Promise<void> {
    const isLate = this.#at !== null && this.#at < now - LIMITS.ALARM_LATE_MS;
    const stands = isLate ? null : this.#at;
    const due = this.#due(now, stands !== null && stands <= now + LIMITS.TELL_AGAIN_MS);
    if (due === null) return;
    const at = Math.min(due, now + LIMITS.LEDGER_LOOK_MS);
    if (stands !== null && stands <= at) return;
    this.#at = at;
    await this.#ledger.storage.setAlarm(at);
  }

  /** `isSoon`: one stands that comes before what is only tried again, so nobody looks for that. */
  #due(now: number, isSoon: boolean): number | null {
    const ledger = this.#ledger;
    if (ledger.definition === null) return null;
    const { leaseUntil, ringAt } = ledger.dispatches.nextTimes();
    const tokensAt = ledger.rateRoomAt(now);
    const behind = (!isSoon || tokensAt !== null) && isBehind(ledger, now);
    const gatherAt = ledger.definition.batch === undefined ? null : ledger.gathers.nextUntil(now);
    const retryAt = ledger.retries.nextAt();
    const heldUntil = ledger.isPulled ? null : ledger.heldUntil;
    const isWanted = behind || gatherAt !== null || retryAt !== null;
    const hasRoom = isWanted && ledger.room(Math.max(now, heldUntil ?? 0, tokensAt ?? 0)) > 0;
    const outgoing = { hasRoom, tokensAt, behind, gatherAt, retryAt, heldUntil };
    const isUnannounced = !isSoon && hasUntold(ledger);
    const others = { state: ledger.state, leaseUntil, jobAt: ledger.jobs.nextAt(), isUnannounced };
    return nextAlarmAt({ ...outgoing, ...others, ringAt: ledger.isPulled ? null : ringAt }, now);
  }
}

const isBehind = (ledger: Ledger, now: number): boolean =>
  nextToExamine(ledger, FIRST_TURN, now) !== null || ledger.waiting.freeLanes(1).length > 0;

const hasUntold = ({ batchDeliveries, announcements, operations }: Ledger): boolean =>
  batchDeliveries.hasEnded() || !announcements.isEmpty() || !operations.isEmpty();

/** Ends the claims whose lease has run out. One that fails stops no other: it is due again at once. */
export async function endLapsedClaims(ledger: Ledger, env: Env, now: number): Promise<void> {
  for (const dispatch of ledger.dispatches.lapsed(now).slice(0, LAPSES_PER_RUN)) {
    try {
      await lapse(ledger, env, dispatch, now, Math.random);
    } catch (error) {
      logStage("subscription.lapse_failed", {
        subscription: ledger.subscriptionId,
        dispatch: dispatch.id,
        error: String(error),
      });
    }
  }
}

/**
 * Messages for the dispatches that nobody has claimed in time; all unclaimed ones when `all`. A claim that is not over
 * by now is written, so that its end is looked for like that of any other.
 */
export function ringUnclaimed(ledger: Ledger, now: number, all: boolean): DispatchMessage[] {
  ledger.dispatches.writeHeld();
  if (!ledger.isRunning || ledger.isPulled) return [];
  const ring = (dispatch: Dispatch): DispatchMessage => {
    const rings = all ? 0 : dispatch.rings + 1;
    ledger.dispatches.update({ ...dispatch, rings, ringAt: now + ringDelayMs(rings) });
    return messageOf(ledger, dispatch.id, []);
  };
  const until = all ? Number.MAX_SAFE_INTEGER : now;
  if (ledger.heldUntil !== null && now < ledger.heldUntil) return [];
  const oneAtMost = ledger.heldUntil === null ? undefined : 1; // Of an endpoint that is not well, one claim asks.
  return ledger.storage.transactionSync(() => ledger.dispatches.toRing(until).slice(0, oneAtMost).map(ring));
}
