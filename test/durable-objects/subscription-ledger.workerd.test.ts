import { beforeEach, describe, expect, it } from "vitest";
import { joinLines } from "../../src/core/event.ts";
import { deliveryKey } from "../../src/core/keys.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { ringUnclaimed } from "../../src/durable-objects/subscription/alarm.ts";
import { listDeadLetters } from "../../src/durable-objects/subscription/list-deliveries.ts";
import { settleDispatch } from "../../src/durable-objects/subscription/settle.ts";
import { ACCEPTED, EPOCH, FAILED, LedgerWorld, lineOf, outcomeOf, REFUSED } from "./ledger-world.ts";

let world: LedgerWorld;
let worlds = 0;

beforeEach(async () => {
  worlds += 1;
  world = new LedgerWorld(`scripted${worlds}`, ["t"]);
  await world.define();
});

describe("what a log tells", () => {
  it("[DLV-1] goes out with the message, is claimed once, settled once and counted once", async () => {
    await world.push(3);
    expect(world.sent).toHaveLength(1);
    expect(world.sent[0]!.events.map(({ offset, line }) => [offset, line])).toEqual([
      [1, lineOf(1)],
      [2, lineOf(2)],
      [3, lineOf(3)],
    ]);
    expect(await world.stats()).toMatchObject({ matched: 3, owed: 3, inFlight: 0, lag: 0 });
    const by = await world.claimed(1);
    expect(await world.claim(1)).toEqual({ kind: "nothing" });
    expect(await world.stats()).toMatchObject({ owed: 3, inFlight: 3 });
    expect(await world.settle(1, by, [ACCEPTED, ACCEPTED], false)).toEqual({ continue: true });
    expect(await world.stats()).toMatchObject({ delivered: 2, owed: 1 });
    await world.step((ledger) =>
      settleDispatch(
        ledger,
        1,
        by.claim,
        by.deliveries.map((delivery) => outcomeOf(delivery, ACCEPTED)),
        true,
        Date.now(),
        () => 0,
      ),
    );
    expect(await world.stats()).toMatchObject({ matched: 3, delivered: 3, owed: 0, oldestOwedAt: null });
    expect(await world.claim(1)).toEqual({ kind: "nothing" });
  });

  it("[DLV-13] told twice it is examined once", async () => {
    world.log("t").head = 5;
    const pushed = world.log("t").push();
    await world.accept(pushed);
    expect(await world.accept(pushed)).toEqual({ kind: "accepted", through: 5 });
    expect(
      await world.accept({ ...pushed, after: 2, offsets: [3, 4, 5], body: joinLines([3, 4, 5].map(lineOf)) }),
    ).toEqual({ kind: "accepted", through: 5 });
    expect(await world.stats()).toMatchObject({ matched: 5, owed: 5 });
  });

  it("[DLV-13] after a hole the ledger reads the hole itself", async () => {
    world.log("t").head = 4;
    await world.push(0, 2);
    world.log("t").told = 3; // A push was lost with the process.
    await world.push(0);
    expect(await world.stats()).toMatchObject({ matched: 2, lag: 2 });
    await world.pump();
    expect(await world.stats()).toMatchObject({ matched: 4, owed: 4, lag: 0 });
  });

  it("[DLV-10] never passes the window, and goes on when there is room again", async () => {
    world = new LedgerWorld("windowed", ["t"], { maxInFlight: 10 });
    await world.define();
    await world.push(25);
    await world.pump();
    expect(await world.stats()).toMatchObject({ matched: 10, owed: 10, lag: 15 });
    expect(world.sent.map(({ events }) => events.length)).toEqual([5, 5]);
    await world.settleNewest(ACCEPTED);
    await world.pump();
    expect(await world.stats()).toMatchObject({ delivered: 5, owed: 10, lag: 10 });
  });

  it("[DLV-13] of a topic that nobody follows is not wanted", async () => {
    expect(
      await world.accept({
        topic: "other",
        partition: 0,
        epoch: EPOCH,
        after: 0,
        through: 1,
        head: 1,
        offsets: [1],
        body: lineOf(1),
      }),
    ).toEqual({ kind: "gone" });
  });

  it("[FLT-2] passes the content filter here", async () => {
    world = new LedgerWorld("filtered", ["t"], { filter: { data: { third: [true] } } });
    await world.define();
    await world.push(10);
    expect(await world.stats()).toMatchObject({ matched: 3, owed: 3, lag: 0 });
    expect(world.sent[0]!.events.map(({ offset }) => offset)).toEqual([3, 6, 9]);
  });
});

describe("a filter that changes", () => {
  const ODD = { filter: { type: ["odd"] } };
  const EVEN = { revision: 2, filter: { type: ["even"] } };
  const owedOffsets = (): Promise<number[]> =>
    world.step((ledger) => ledger.dispatches.all().flatMap(({ deliveries }) => deliveries.map(([, offset]) => offset)));

  it("[FLT-9] holds for every event from then on, also while a log still chooses by the one before", async () => {
    await world.define(ODD);
    world.log("t").types = ["odd"];
    await world.push(4);
    await world.define(EVEN);
    await world.push(4);
    await world.pump();
    expect(await owedOffsets()).toEqual([1, 3, 6, 8]);
    expect(await world.stats()).toMatchObject({ matched: 4, lag: 0 });
    world.log("t").types = ["even"];
    await world.push(2);
    expect(await owedOffsets()).toEqual([1, 3, 6, 8, 10]);
  });

  it("[FLT-9] reads a page again that was on its way", async () => {
    await world.define(ODD);
    world.log("t").head = 4;
    await world.step((ledger) => ledger.sources.insert({ topic: "t", partition: 0, epoch: EPOCH }, 0, true));
    await world.pump((ledger) => ledger.define({ ...world.definition, ...EVEN }));
    expect(await owedOffsets()).toEqual([2, 4]);
  });
});

describe("a delivery that fails", () => {
  it("[DLV-3] is tried again, dies after its last attempt, and keeps its event and its story", async () => {
    await world.push(1);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const { dispatch } = world.sent.at(-1)!;
      const by = await world.claimed(dispatch);
      expect(by.deliveries[0]).toMatchObject({ attempt, id: deliveryKey(world.definition.id, 1, 1) });
      await world.settle(dispatch, by, [FAILED]);
      await world.stats();
      await world.pump();
    }
    expect(await world.stats()).toMatchObject({ matched: 1, dead: 1, owed: 0 });
    const { items } = await world.step((ledger) => listDeadLetters(ledger, null, 10));
    expect(items).toMatchObject([{ offset: 1, topic: "t", reason: "attempts_exhausted", event: lineOf(1) }]);
    expect(items[0]!.attempts.map(({ status, excerpt }) => [status, excerpt])).toEqual([
      [500, "broken"],
      [500, "broken"],
      [500, "broken"],
    ]);
  });

  it("[DLV-2] refused for good dies at once", async () => {
    await world.push(2);
    await world.settleNewest(REFUSED);
    expect(await world.stats()).toMatchObject({ dead: 2, owed: 0 });
  });

  it("[DLV-5] with 410 stops the subscription and stays owed; resumed, the attempt does not count", async () => {
    await world.push(2);
    const by = await world.claimed(1);
    expect(await world.settle(1, by, [{ kind: "gone" }], false)).toEqual({ continue: false });
    await world.settle(1, by, []);
    expect(await world.step((ledger) => ledger.state)).toBe("disabled");
    expect(await world.stats()).toMatchObject({ owed: 2, dead: 0 });
    await world.pump();
    expect(await world.claim(1)).toEqual({ kind: "nothing" });

    await world.setState("active");
    await world.pump();
    const again = await world.claimed(world.sent.at(-1)!.dispatch);
    expect(again.deliveries).toMatchObject([{ offset: 1, attempt: 1 }]);
  });

  it("[DLV-6] what was not attempted goes back into the same dispatch and costs nothing", async () => {
    await world.push(3);
    const by = await world.claimed(1);
    await world.settle(1, by, [ACCEPTED, { kind: "not_attempted" }]);
    expect(await world.stats()).toMatchObject({ delivered: 1, owed: 2, inFlight: 0 });
    expect((await world.claimed(1)).deliveries.map(({ offset, attempt }) => [offset, attempt])).toEqual([
      [2, 1],
      [3, 1],
    ]);
  });

  it("[DLV-7] because retention took its event expires", async () => {
    await world.push(2);
    await world.settleNewest({ kind: "expired" });
    expect(await world.stats()).toMatchObject({ expired: 2, owed: 0 });
  });
});

describe("what is lost on the way", () => {
  it("[DLV-11] a message that nobody claims is rung again, ever later", async () => {
    await world.push(1);
    const start = Date.now();
    const ringAfter = (ms: number) =>
      world.step((ledger) => ringUnclaimed(ledger, start + ms, false).map(({ dispatch }) => dispatch));
    expect(await ringAfter(LIMITS.DISPATCH_RING_MS - 1_000)).toEqual([]);
    expect(await ringAfter(LIMITS.DISPATCH_RING_MS + 1_000)).toEqual([1]);
    expect(await ringAfter(LIMITS.DISPATCH_RING_MS + 2_000)).toEqual([]);
    expect(await ringAfter(60_000)).toEqual([1]);
    await world.settleNewest(ACCEPTED);
    expect(await ringAfter(3_600_000)).toEqual([]);
  });

  it("[DLV-16] a claim that lapses is rung again, and its consumer may still say what was accepted", async () => {
    await world.push(2);
    const lost = await world.claimed(1);
    await world.lapse();
    expect(await world.step((ledger) => ringUnclaimed(ledger, Date.now() + 60_000, false))).toMatchObject([
      { dispatch: 1, events: [] },
    ]);
    expect(await world.settle(1, lost, [ACCEPTED, FAILED], false)).toEqual({ continue: false });
    expect(await world.stats()).toMatchObject({ delivered: 1, owed: 1, dead: 0 });
    expect((await world.claimed(1)).deliveries.map(({ offset, attempt }) => [offset, attempt])).toEqual([[2, 1]]);
  });

  it("[DLV-16] a dispatch that kills its consumers falls apart, and its deliveries go alone", async () => {
    await world.push(3);
    for (let lapses = 1; lapses <= LIMITS.DISPATCH_LAPSES_MAX; lapses += 1) {
      await world.claimed(1);
      await world.lapse();
      expect(await world.stats()).toMatchObject({ owed: 3 });
    }
    expect(await world.claim(1)).toEqual({ kind: "nothing" });
    // They lapsed a minute from now.
    await world.step((ledger) => ledger.storage.sql.exec("UPDATE retries SET next_at = 0").rowsWritten);
    const before = world.sent.length;
    await world.pump();
    const alone = world.sent.slice(before);
    expect(alone).toHaveLength(3);
    expect((await world.claimed(alone[0]!.dispatch)).deliveries.map(({ attempt }) => attempt)).toEqual([2]);
  });

  it("[DLV-16] a settle between two lapses starts the count anew", async () => {
    await world.push(2);
    for (let lapses = 1; lapses < LIMITS.DISPATCH_LAPSES_MAX; lapses += 1) {
      await world.claimed(1);
      await world.lapse();
    }
    await world.settle(1, await world.claimed(1), [ACCEPTED], false);
    await world.lapse();
    expect((await world.claimed(1)).deliveries.map(({ offset }) => offset)).toEqual([2]);
  });

  it("[DLV-16] a lapse that is the last attempt dies with its own copy of the event", async () => {
    world = new LedgerWorld("lapsing", ["t"], { retry: { maxAttempts: 1, delaysMs: [0], retryOn4xx: false } });
    await world.define();
    await world.push(1);
    for (let lapses = 1; lapses <= LIMITS.DISPATCH_LAPSES_MAX; lapses += 1) {
      await world.claimed(1);
      await world.lapse();
    }
    expect((await world.step((ledger) => listDeadLetters(ledger, null, 10))).items).toMatchObject([
      { offset: 1, event: lineOf(1) },
    ]);
    expect(await world.stats()).toMatchObject({ dead: 1, owed: 0 });
  });

  it("[DLV-17] what retention takes from the unexamined counts as expired", async () => {
    await world.setState("paused");
    await world.push(10);
    world.log("t").firstHeld = 8;
    await world.setState("active");
    await world.pump();
    expect(await world.stats()).toMatchObject({ matched: 10, expired: 7, owed: 3, lag: 0 });
  });

  it("[DLV-17] a log that cannot be reached is asked again and stops no other", async () => {
    world = new LedgerWorld("reach", ["t", "u"]);
    await world.define();
    await world.setState("paused");
    for (const log of world.logs.values()) {
      log.head = 2;
      await world.accept(log.push());
    }
    await world.setState("active");
    world.log("t").reachable = false;
    await world.pump();
    expect(await world.stats()).toMatchObject({ matched: 2 });
    world.log("t").reachable = true;
    await world.pump();
    expect(await world.stats()).toMatchObject({ matched: 4, owed: 4 });
  });
});
