/** Order by key and strict order, step by step, in a ledger that is read anew from its rows each time. */
import { describe, expect, it } from "vitest";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import { deliveryKey } from "../../src/core/keys.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { SubscriptionDefinition } from "../../src/core/subscription.ts";
import { retireSource } from "../../src/durable-objects/subscription/retire.ts";
import { listDeliveries } from "../../src/durable-objects/subscription/list-deliveries.ts";
import { hastenParked, skipParked } from "../../src/durable-objects/subscription/parked.ts";
import { takeBackUnclaimed } from "../../src/durable-objects/subscription/pull-take-back.ts";
import { settleDispatch } from "../../src/durable-objects/subscription/settle.ts";
import { ACCEPTED, FAILED, keyOf, LedgerWorld, outcomeOf, REFUSED } from "./ledger-world.ts";

const LATER = 3_600_000;
const RETRY = { maxAttempts: 2, delaysMs: [LATER], retryOn4xx: false };

class LanedWorld extends LedgerWorld {
  static async begin(id: string, more: Partial<SubscriptionDefinition> = {}): Promise<LanedWorld> {
    const world = new LanedWorld(id, ["t"], { ordering: "key", retry: RETRY, ...more });
    await world.define();
    return world;
  }

  /**
   * Claims whatever can be claimed, until nothing can, and attempts as a consumer does: nothing of a lane behind one
   * that was not accepted. Answers the offsets that were attempted.
   */
  async work(outcome: (offset: number) => AttemptOutcome = () => ACCEPTED): Promise<number[]> {
    const attempted: number[] = [];
    for (;;) {
      await this.pump();
      const ids = await this.step((ledger) => ledger.dispatches.all().map(({ id }) => id));
      if (ids.length === 0) return attempted;
      for (const id of ids) attempted.push(...(await this.#workOne(id, outcome)));
    }
  }

  async #workOne(id: number, outcomeAt: (offset: number) => AttemptOutcome): Promise<number[]> {
    const by = await this.claimed(id);
    const ended = new Set<string>();
    const settled = by.deliveries.flatMap((delivery) => {
      if (delivery.lane !== undefined && ended.has(delivery.lane)) return [];
      const outcome = outcomeAt(delivery.offset);
      if (delivery.lane !== undefined && outcome.kind !== "accepted") ended.add(delivery.lane);
      return [outcomeOf(delivery, outcome)];
    });
    await this.step((ledger) => settleDispatch(ledger, id, by.claim, settled, true, Date.now(), () => 0));
    await this.stats();
    return settled.map(({ offset }) => offset);
  }

  skip(offset: number): Promise<string> {
    const id = deliveryKey(this.definition.id, 1, offset);
    return this.step((ledger) => {
      const answer = skipParked(ledger, id);
      return answer.ok ? "skipped" : answer.failure.code;
    });
  }

  retry(offset: number): Promise<string> {
    const id = deliveryKey(this.definition.id, 1, offset);
    return this.step((ledger) => {
      const answer = hastenParked(ledger, id, Date.now());
      return answer.ok ? "due" : answer.failure.code;
    });
  }
}

const failing =
  (...offsets: readonly number[]) =>
  (offset: number) =>
    offsets.includes(offset) ? FAILED : ACCEPTED;

describe("a key", () => {
  it("[DLV-30] that failed waits in order, while the others go on", async () => {
    const world = await LanedWorld.begin("parked");
    await world.push(20);
    // Those of k1: 1, 6, 11, 16.
    const attempted = await world.work(failing(1));
    expect(attempted.filter((offset) => keyOf(offset) === "k1")).toEqual([1]);
    expect(await world.stats()).toMatchObject({ delivered: 16, owed: 4, lag: 0 });

    await world.push(10);
    expect(await world.work()).not.toContain(26);
    expect(await world.stats()).toMatchObject({ matched: 30, delivered: 25, owed: 5, dead: 0 });

    expect(await world.retry(1)).toBe("due");
    expect(await world.work()).toEqual([1, 6, 11, 16, 26]);
    expect(await world.stats()).toMatchObject({ delivered: 30, owed: 0 });
  });

  it("[DLV-30] that is under way in one dispatch is in no other", async () => {
    const world = await LanedWorld.begin("underway");
    await world.push(6);
    await world.push(6);
    await world.pump();
    const lanes = await world.step((ledger) =>
      ledger.dispatches.all().map(({ deliveries }) => deliveries.map(([, offset]) => offset)),
    );
    expect(lanes).toEqual([[1, 2, 3, 4, 5, 6], [7]]); // The seventh has no key; of the others each waits for its own.
    expect(await world.stats()).toMatchObject({ owed: 12, lag: 0 });
    expect(await world.work()).toHaveLength(12);
  });

  it("[DLV-32] moves on when its head is dead, not before, in the same transaction", async () => {
    const world = await LanedWorld.begin("dies");
    await world.push(11);
    await world.work(failing(1));
    expect(await world.stats()).toMatchObject({ owed: 3, dead: 0 });
    await world.retry(1);
    expect(await world.work(failing(1))).toEqual([1, 6, 11]);
    expect(await world.stats()).toMatchObject({ delivered: 10, dead: 1, owed: 0 });
  });

  it("[DLV-32] whose head is refused for good moves on at once", async () => {
    const world = await LanedWorld.begin("refused");
    await world.push(11);
    const attempted = await world.work((offset) => (offset === 1 ? REFUSED : ACCEPTED));
    expect(attempted.filter((offset) => keyOf(offset) === "k1")).toEqual([1, 6, 11]);
    expect(await world.stats()).toMatchObject({ delivered: 10, dead: 1, owed: 0 });
  });

  it("[DLV-34] stands behind a redrive as if that were not there: redriven deliveries are outside the lanes", async () => {
    const world = await LanedWorld.begin("redriven");
    await world.push(6);
    await world.work((offset) => (offset === 1 ? REFUSED : ACCEPTED));
    await world.redriveAll();
    await world.pump();
    await world.push(5); // 11 is of the same key, and does not wait.
    expect((await world.work()).toSorted((a, b) => a - b)).toEqual([1, 7, 8, 9, 10, 11]);
  });

  it("[DLV-30] whose consumer was lost goes on where it stood, and only its head has had an attempt", async () => {
    const world = await LanedWorld.begin("lapsed");
    await world.push(1);
    await world.push(0);
    await world.settleNewest(ACCEPTED);
    await world.push(10); // 6 and 11 are of k1.
    const { dispatch } = world.sent.at(-1)!;
    for (let lapse = 0; lapse < LIMITS.DISPATCH_LAPSES_MAX; lapse += 1) {
      await world.claimed(dispatch);
      await world.lapse();
      await world.stats();
    }
    const attempts = await world.step((ledger) =>
      listDeliveries(ledger, "owed", null, 100).items.map(({ offset, attempts: { length } }) => [offset, length]),
    );
    expect(attempts.filter(([offset]) => keyOf(offset!) === "k1")).toEqual([[6, 1], [11, 0]]); // prettier-ignore
  });
});

describe("what waits behind a key", () => {
  it("[DLV-33] is owed, listed in order, and ends with its topic", async () => {
    const world = await LanedWorld.begin("listed");
    await world.push(11);
    await world.work(failing(1));
    const listed = await world.step((ledger) => listDeliveries(ledger, "owed", null, 100).items);
    expect(listed.map(({ offset, state, attempts }) => [offset, state, attempts.length])).toEqual([
      [1, "owed", 1],
      [6, "owed", 0],
      [11, "owed", 0],
    ]);
    const page = await world.step((ledger) => listDeliveries(ledger, "owed", null, 2));
    const rest = await world.step((ledger) => listDeliveries(ledger, "owed", page.cursor, 2));
    expect([...page.items, ...rest.items].map(({ offset }) => offset)).toEqual([1, 6, 11]);
    await world.step((ledger) => ledger.storage.transactionSync(() => retireSource(ledger, ledger.sources.get(1)!)));
    expect(await world.stats()).toMatchObject({ delivered: 8, expired: 3, owed: 0 });
  });

  it("[DLV-33] goes to workers when they pull from now on", async () => {
    const world = await LanedWorld.begin("pulled");
    await world.push(11);
    await world.work(failing(1));
    await world.step((ledger) => {
      ledger.define({ ...world.definition, target: { kind: "pull" } });
      takeBackUnclaimed(ledger, Date.now());
    });
    expect(await world.stats()).toMatchObject({ owed: 3, delivered: 8 });
    const due = await world.step((ledger) => ledger.retries.due(Date.now(), 10).map(({ offset }) => offset));
    expect(due.toSorted((a, b) => a - b)).toEqual([6, 11]);
  });

  it("[DLV-33] stops the examining at its bound, and below it stops nobody", async () => {
    const world = await LanedWorld.begin("bounded");
    await world.push(1);
    await world.work(failing(1));
    const fill = (rows: number) =>
      world.step((ledger) => {
        for (let row = 0; row < rows; row += 1) {
          ledger.waiting.insert({ source: 1, lane: "k1", offset: 1_000_000 + row, owedSince: 1 });
        }
        ledger.storage.sql.exec(`UPDATE sources SET matched = matched + ${rows}`);
      });
    await fill(LIMITS.LANE_DELIVERIES_MAX - 1);
    await world.push(10); // 6 still fits; 11 does not.
    expect(await world.work()).toEqual([2, 3, 4, 5, 7, 8, 9, 10]);
    expect(await world.stats()).toMatchObject({ lag: 1, delivered: 8 });
    await world.push(10);
    expect(await world.work()).toEqual([]);
    expect(await world.stats()).toMatchObject({ lag: 11 });
    await world.skip(1);
    await world.step((ledger) => ledger.storage.sql.exec("DELETE FROM waiting WHERE offset > 1000000"));
    await world.step((ledger) =>
      ledger.storage.sql.exec(`UPDATE sources SET matched = matched - ${LIMITS.LANE_DELIVERIES_MAX - 2}`),
    );
    expect((await world.work()).filter((offset) => keyOf(offset) === "k1")).toEqual([6, 11, 16]);
  });
});

describe("an operator", () => {
  it("[DLV-35] skips what failed: counted once, its lane moves on, and nothing else can be skipped", async () => {
    const world = await LanedWorld.begin("skipped");
    await world.push(11);
    await world.work(failing(1));
    expect(await world.skip(6)).toBe("delivery_not_found"); // It waits behind the head, and has not failed.
    expect(await world.skip(2)).toBe("delivery_not_found");
    expect(await world.skip(1)).toBe("skipped");
    expect(await world.skip(1)).toBe("delivery_not_found");
    expect(await world.stats()).toMatchObject({ skipped: 1, delivered: 8, owed: 2 });
    expect(await world.work()).toEqual([6, 11]);
    expect(await world.stats()).toMatchObject({ skipped: 1, delivered: 10, owed: 0 });
  });

  it("[DLV-36] tries at once what failed; its attempts still count", async () => {
    const world = await LanedWorld.begin("hastened");
    await world.push(1);
    await world.work(failing(1));
    expect(await world.work()).toEqual([]);
    expect(await world.retry(1)).toBe("due");
    await world.pump();
    const by = await world.claimed(world.sent.at(-1)!.dispatch);
    expect(by.deliveries).toMatchObject([{ offset: 1, attempt: 2 }]);
    expect(await world.retry(1)).toBe("delivery_not_found"); // It is under way.
    expect(await world.skip(1)).toBe("delivery_not_found");
  });
});

describe("strict order", () => {
  it("[DLV-31] is one after the other: a failure stops its partition until it is dead, and leaves the rest in the log", async () => {
    const world = await LanedWorld.begin("strict", { ordering: "strict", maxInFlight: 10 });
    await world.push(25);
    expect(await world.work(failing(3))).toEqual([1, 2, 3]);
    expect(await world.stats()).toMatchObject({ delivered: 2, owed: 8, lag: 15 });
    await world.push(5);
    expect(await world.work()).toEqual([]);
    await world.retry(3);
    const attempted = await world.work(failing(3));
    expect(attempted).toEqual(Array.from({ length: 28 }, (_, index) => index + 3));
    expect(await world.stats()).toMatchObject({ delivered: 29, dead: 1, owed: 0, lag: 0 });
  });
});
