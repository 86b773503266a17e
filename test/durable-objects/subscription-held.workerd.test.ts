/**
 * Claims that stand in memory. Other tests of the ledger build it anew from its rows at every step; here one ledger lives
 * on, and `lost` says what the next one knows when it ends.
 */
import { beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { SubscriptionDefinition, Target } from "../../src/core/subscription.ts";
import { ringUnclaimed } from "../../src/durable-objects/subscription/alarm.ts";
import { claimDispatch } from "../../src/durable-objects/subscription/claim.ts";
import type { Ledger } from "../../src/durable-objects/subscription/ledger.ts";
import { settleDispatch } from "../../src/durable-objects/subscription/settle.ts";
import { ACCEPTED, FAILED, LedgerWorld, outcomeOf, type Claim } from "./ledger-world.ts";

const WEBHOOK: Target = { kind: "webhook", url: "https://example.com/", headers: {}, secret: "whsec_" };

let world: LedgerWorld;
let worlds = 0;

async function begin(more: Partial<SubscriptionDefinition> = {}): Promise<void> {
  worlds += 1;
  world = new LedgerWorld(`held${worlds}`, ["t"], { target: WEBHOOK, ...more });
  await world.define();
}

beforeEach(() => begin());

const claim = (ledger: Ledger): Claim | null => {
  const answer = claimDispatch(ledger, 1, Date.now());
  return answer.kind === "claimed" ? answer : null;
};

const settle = (ledger: Ledger, by: Claim, outcomes: readonly (typeof ACCEPTED)[], done: boolean) => {
  const settled = outcomes.map((outcome, index) => outcomeOf(by.deliveries[index]!, outcome));
  return settleDispatch(ledger, 1, by.claim, settled, done, Date.now(), () => 0);
};

const rowsWrittenBy = (ledger: Ledger, act: () => void): number => {
  const changes = (): number => ledger.storage.sql.exec<{ rows: number }>("SELECT total_changes() AS rows").one().rows;
  const before = changes();
  act();
  return changes() - before;
};

describe("a first claim of what nothing orders", () => {
  it("[DLV-42] costs no row, and holds the dispatch against a doubled message", async () => {
    await world.push(3);
    await world.step((ledger) => {
      expect(rowsWrittenBy(ledger, () => expect(claim(ledger)).not.toBeNull())).toBe(0);
      expect(claim(ledger)).toBeNull();
      expect(ledger.dispatches.get(1)!.leaseUntil).toBeGreaterThan(Date.now());
      expect(ledger.dispatches.toRing(Number.MAX_SAFE_INTEGER)).toEqual([]);
    });
  });

  it("[DLV-42] is written with what is settled of it, and then outlasts the ledger", async () => {
    await world.push(3);
    const by = await world.step((ledger) => {
      const claimed = claim(ledger)!;
      expect(settle(ledger, claimed, [ACCEPTED], false)).toEqual({ continue: true });
      return claimed;
    });
    expect(await world.claim(1)).toEqual({ kind: "nothing" });
    expect(await world.settle(1, { ...by, deliveries: by.deliveries.slice(1) }, [ACCEPTED, FAILED])).toBeDefined();
    expect(await world.stats()).toMatchObject({ delivered: 2, owed: 1, inFlight: 0 });
  });

  it("[DLV-42] is written when it would have been rung, so that its end is looked for", async () => {
    await world.push(1);
    await world.step((ledger) => {
      claim(ledger);
      expect(ringUnclaimed(ledger, Date.now() + LIMITS.DISPATCH_RING_MS + 1_000, false)).toEqual([]);
    });
    expect(await world.claim(1)).toEqual({ kind: "nothing" });
    await world.lapse();
    expect(await world.step((ledger) => ledger.dispatches.get(1))).toMatchObject({ lapses: 1, leaseUntil: 0 });
  });

  it("[DLV-42] that is lost with the ledger goes on with its next settle, whose failures wait as any do", async () => {
    await world.push(3);
    const lost = (await world.step(claim))!;
    expect(await world.settle(1, lost, [ACCEPTED, FAILED], false)).toEqual({ continue: true });
    expect(await world.claim(1)).toEqual({ kind: "nothing" });
    expect(await world.stats()).toMatchObject({ delivered: 1, owed: 2, inFlight: 1 });
    expect(await world.step((ledger) => ledger.retries.countWaiting())).toBe(1);
  });

  it("[DLV-42] that is lost with the ledger, and of which nothing more is heard, is rung", async () => {
    await world.push(2);
    await world.step(claim);
    const rung = await world.step((ledger) => ringUnclaimed(ledger, Date.now() + LIMITS.DISPATCH_RING_MS, false));
    expect(rung).toMatchObject([{ dispatch: 1 }]);
    expect((await world.claimed(1)).deliveries.map(({ offset, attempt }) => [offset, attempt])).toEqual([
      [1, 1],
      [2, 1],
    ]);
  });

  it("[DLV-42] is held still when a change of it is rolled back", async () => {
    await world.push(3);
    await world.step((ledger) => {
      const by = claim(ledger)!;
      const change = () =>
        ledger.storage.transactionSync(() => {
          settle(ledger, by, [ACCEPTED], false);
          throw new Error("full");
        });
      expect(change).toThrow("full");
      expect(claim(ledger)).toBeNull();
      expect(settle(ledger, by, [ACCEPTED], false)).toEqual({ continue: true });
    });
  });

  it("[DLV-42] that is lost with the ledger is not taken for the claim after it", async () => {
    await world.push(2);
    const forgotten = (await world.step(claim))!;
    await world.step((ledger) => ringUnclaimed(ledger, Date.now() + LIMITS.DISPATCH_RING_MS, false));
    const current = await world.claimed(1);
    expect(await world.settle(1, forgotten, [FAILED], true)).toEqual({ continue: false });
    expect(await world.claim(1)).toEqual({ kind: "nothing" });
    expect(await world.settle(1, current, [ACCEPTED], false)).toEqual({ continue: true });
  });
});

describe("a claim", () => {
  it.each([
    ["of what is ordered", { ordering: "key" as const }],
    ["for code of the hub's own", { target: { kind: "listener" as const, name: "nobody" } }],
  ])("[DLV-42] %s stands in its row, as does every later one", async (_what, more) => {
    await begin(more);
    await world.push(3);
    await world.step(claim);
    expect(await world.claim(1)).toEqual({ kind: "nothing" });
  });

  it("[DLV-42] of what was rung stands in its row", async () => {
    await world.push(3);
    await world.step((ledger) => ringUnclaimed(ledger, Date.now() + LIMITS.DISPATCH_RING_MS, false));
    await world.step(claim);
    expect(await world.claim(1)).toEqual({ kind: "nothing" });
  });
});
