import { expect, it } from "vitest";
import { judgeStanding, WELL, type LedgerLook } from "../../src/core/ledger-standing.ts";

const THRESHOLDS = { lagEvents: 100, stalledMs: 1_000 };
const NOW = 1_000_000;

/** What is told over these looks, in order. */
function told(looks: readonly Partial<LedgerLook>[]): string[] {
  let standing = WELL;
  return looks.flatMap((look) => {
    const judged = judgeStanding(standing, { lag: 0, owed: 0, oldestOwedAt: null, ...look }, THRESHOLDS, NOW);
    standing = judged.standing;
    return judged.news.map(({ kind }) => kind.replace("subscription.", ""));
  });
}

it("[OPS-1] a lag is told once at its threshold, and its end once at half of it", () => {
  expect(told([{ lag: 99 }, { lag: 100 }, { lag: 500 }, { lag: 99 }, { lag: 50 }])).toEqual(["lagging"]);
  expect(told([{ lag: 100 }, { lag: 49 }, { lag: 0 }, { lag: 100 }])).toEqual(["lagging", "level", "lagging"]);
});

it("[OPS-1] a lag that is not known changes nothing", () => {
  expect(told([{ lag: null }, { lag: 100 }, { lag: null }, { lag: null }])).toEqual(["lagging"]);
});

it("[OPS-1] a delivery owed for long is told once, and once that none is", () => {
  const late = { owed: 3, oldestOwedAt: NOW - 1_000 };
  const fresh = { owed: 1, oldestOwedAt: NOW - 999 };
  expect(told([fresh, late, late, fresh, {}, late])).toEqual(["stalled", "moving", "stalled"]);
});
