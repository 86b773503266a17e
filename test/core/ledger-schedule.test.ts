import { describe, expect, it } from "vitest";
import {
  dispatchRoom,
  dispatchSize,
  nextAlarmAt,
  ringDelayMs,
  type LedgerWaits,
} from "../../src/core/ledger-schedule.ts";
import { LIMITS } from "../../src/core/limits.ts";

const NOW = 1_000_000;
const QUIET: LedgerWaits = {
  state: "active",
  hasRoom: true,
  tokensAt: null,
  behind: false,
  gatherAt: null,
  retryAt: null,
  ringAt: null,
  leaseUntil: null,
  heldUntil: null,
  jobAt: null,
  isUnannounced: false,
};
const at = (waits: Partial<LedgerWaits>): number | null => nextAlarmAt({ ...QUIET, ...waits }, NOW);

describe("the ledger's alarm", () => {
  it("[DLV-9] is not needed when nothing is waited for", () => {
    expect(at({})).toBeNull();
  });

  it("[DLV-38] waits for the rate with all that would go, and not with leases and rings", () => {
    const tokensAt = NOW + 100;
    expect(at({ tokensAt, behind: true })).toBe(tokensAt);
    expect(at({ tokensAt, retryAt: NOW })).toBe(tokensAt);
    expect(at({ tokensAt, retryAt: NOW + 300 })).toBe(NOW + 300);
    expect(at({ tokensAt, ringAt: NOW + 50 })).toBe(NOW + 50);
    expect(at({ tokensAt })).toBeNull();
  });

  it("[DLV-37] stands at the end of a batch's wait, when there is room for it", () => {
    expect(at({ gatherAt: NOW + 700 })).toBe(NOW + 700);
    expect(at({ gatherAt: NOW + 700, hasRoom: false })).toBeNull();
    expect(at({ gatherAt: NOW + 700, state: "paused" })).toBeNull();
  });

  it("[DLV-9] stands at the earliest of retry, ring and lease", () => {
    expect(at({ retryAt: NOW + 30, ringAt: NOW + 20, leaseUntil: NOW + 10 })).toBe(NOW + 10);
    expect(at({ retryAt: NOW + 30, ringAt: NOW + 20 })).toBe(NOW + 20);
    expect(at({ retryAt: NOW + 30 })).toBe(NOW + 30);
  });

  it("[DLV-9] stands at once for what is overdue, never in the past", () => {
    expect(at({ retryAt: NOW - 5_000 })).toBe(NOW);
  });

  it("[DLQ-5, DLQ-11] stands for jobs and for deaths to be told of, in every state", () => {
    for (const state of ["active", "paused", "disabled"] as const) {
      expect(at({ state, jobAt: NOW + 10 })).toBe(NOW + 10);
      expect(at({ state, isUnannounced: true })).toBe(NOW + LIMITS.TELL_AGAIN_MS);
    }
  });

  it("[DLV-9] stands while there is something to pull and room for it", () => {
    expect(at({ behind: true })).toBe(NOW + LIMITS.TELL_AGAIN_MS);
    expect(at({ behind: true, hasRoom: false })).toBeNull();
  });

  it("[DLV-9] does not spin on retries for which there is no room: the settle or the lapse comes first", () => {
    expect(at({ retryAt: NOW - 1, hasRoom: false, leaseUntil: NOW + 900 })).toBe(NOW + 900);
  });

  it.each(["paused", "disabled"] as const)("[DLV-9] watches only running claims while %s", (state) => {
    expect(at({ state, behind: true, retryAt: NOW, ringAt: NOW })).toBeNull();
    expect(at({ state, behind: true, retryAt: NOW, ringAt: NOW, leaseUntil: NOW + 7 })).toBe(NOW + 7);
  });
});

describe("the window", () => {
  it("[DLV-10] is never passed, and never negative", () => {
    for (let maxInFlight = 1; maxInFlight <= 50; maxInFlight += 1) {
      for (let open = 0; open <= maxInFlight + 5; open += 1) {
        const room = dispatchRoom(maxInFlight, open);
        expect(room).toBeGreaterThanOrEqual(0);
        expect(open + room).toBeLessThanOrEqual(Math.max(maxInFlight, open));
      }
    }
  });

  it("[DLV-10] an empty one takes everything, and a full half leaves the other half", () => {
    expect(dispatchRoom(100, 0)).toBe(100);
    expect(dispatchRoom(100, 50)).toBe(50);
    expect(dispatchRoom(1, 0)).toBe(1);
    expect(dispatchRoom(1, 1)).toBe(0);
  });

  it("[DLV-10] crumbs of room wait until they are worth a dispatch", () => {
    expect(dispatchRoom(200, 101)).toBe(0);
    expect(dispatchRoom(200, 100)).toBe(100);
    expect(dispatchRoom(200, 57)).toBe(100);
    expect(dispatchRoom(1_000, 301)).toBe(600);
  });

  it("[DLV-10] a small window does not wait for as much", () => {
    expect(dispatchRoom(12, 10)).toBe(0);
    expect(dispatchRoom(12, 9)).toBe(3);
  });

  it("[DLV-10] a dispatch is half the window and at most what a message may name", () => {
    expect([1, 2, 3, 100, 1_000].map(dispatchSize)).toEqual([1, 1, 2, 50, LIMITS.DISPATCH_DELIVERIES_MAX]);
  });
});

it("[DLV-11] rings come at doubling intervals up to a bound", () => {
  expect([0, 1, 2, 3].map(ringDelayMs)).toEqual([5_000, 10_000, 20_000, 40_000]);
  expect(ringDelayMs(1_000)).toBe(LIMITS.DISPATCH_RING_MS_MAX);
});
