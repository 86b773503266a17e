/** When and how much the ledger dispatches: the arithmetic of windows, rings and the one alarm. */
import { LIMITS } from "./limits.ts";
import type { SubscriptionState } from "./subscription.ts";

/**
 * How many deliveries may be dispatched now. Half the window makes a dispatch, so that one is worked on while the next
 * waits; and while any is open, there is room for whole ones only, because crumbs cost as much as loaves. In a small
 * window one goes half full: its target has few deliveries at a time, and should not have fewer.
 */
export function dispatchRoom(maxInFlight: number, open: number): number {
  const room = Math.max(0, maxInFlight - open);
  if (open === 0) return room;
  const size = dispatchSize(maxInFlight);
  if (size <= SMALL_DISPATCH) return room < Math.ceil(size / 2) ? 0 : room;
  return Math.floor(room / size) * size;
}

/** Of so many, a dispatch costs as much as its deliveries. */
const SMALL_DISPATCH = 20;

/** An endpoint that is not well is asked with one delivery: of an open dispatch, or else of a new one. */
export const probeRoom = (heldUntil: number, open: number, now: number): number =>
  open === 0 && now >= heldUntil ? 1 : 0;

export const dispatchSize = (maxInFlight: number): number =>
  Math.min(LIMITS.DISPATCH_DELIVERIES_MAX, Math.ceil(maxInFlight / 2));

/** How long after its `rings`th sending a dispatch that nobody claims is sent again. */
export const ringDelayMs = (rings: number): number =>
  Math.min(LIMITS.DISPATCH_RING_MS * 2 ** Math.min(rings, 16), LIMITS.DISPATCH_RING_MS_MAX);

/** What the ledger waits for; times in milliseconds since 1970, null where there is nothing of the kind. */
export interface LedgerWaits {
  readonly state: SubscriptionState;
  /** Whether `dispatchRoom` leaves any: without it a settle or a lapse is what comes next. */
  readonly hasRoom: boolean;
  /** When the rate lets the next go; null: now. */
  readonly tokensAt: number | null;
  /** Some log holds what has not been examined. */
  readonly behind: boolean;
  /** When what a log holds for a batch has waited for long enough. */
  readonly gatherAt: number | null;
  readonly retryAt: number | null;
  readonly ringAt: number | null;
  readonly leaseUntil: number | null;
  /** Nothing goes out before it, because the endpoint is not well. */
  readonly heldUntil: number | null;
  /** The next slice of a job. */
  readonly jobAt: number | null;
  /** The topic of dead letters has not been told of all. */
  readonly isUnannounced: boolean;
}

/** When the alarm is due next; null: never. Claims and jobs are watched in every state, all else in `active`. */
export function nextAlarmAt(waits: LedgerWaits, now: number): number | null {
  const active = waits.state === "active";
  // With tokens to spare what is behind has been tried, and is tried again; without them it goes when there are some.
  const behindAt = waits.behind ? (waits.tokensAt ?? now + LIMITS.TELL_AGAIN_MS) : null;
  const fresh = active && waits.hasRoom ? [waits.retryAt, waits.gatherAt, behindAt] : [];
  const outgoing = [active ? waits.ringAt : null, ...fresh.map((at) => later(at, waits.tokensAt))];
  const announceAt = waits.isUnannounced ? now + LIMITS.TELL_AGAIN_MS : null;
  const held = outgoing.map((at) => later(at, waits.heldUntil));
  const due = [waits.leaseUntil, waits.jobAt, announceAt, ...held].filter((at) => at !== null);
  return due.length === 0 ? null : Math.max(now, Math.min(...due));
}

/** Null stays null: what is not waited for is not waited for later. */
const later = (at: number | null, bound: number | null): number | null =>
  at === null ? null : Math.max(at, bound ?? 0);
