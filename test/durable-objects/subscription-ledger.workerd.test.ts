import { beforeEach, describe, expect, it } from "vitest";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import { joinLines } from "../../src/core/event.ts";
import { deliveryKey } from "../../src/core/keys.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { acceptPush } from "../../src/durable-objects/subscription/accept.ts";
import { endLapsedClaims, ringUnclaimed } from "../../src/durable-objects/subscription/alarm.ts";
import { claimDispatch } from "../../src/durable-objects/subscription/claim.ts";
import { changeState, configure } from "../../src/durable-objects/subscription/configure.ts";
import { discardDeadLetters, redriveDeadLetters } from "../../src/durable-objects/subscription/dead-letters.ts";
import { listDeadLetters, listDeliveries } from "../../src/durable-objects/subscription/list-deliveries.ts";
import { retireSource } from "../../src/durable-objects/subscription/retire.ts";
import { settleDispatch } from "../../src/durable-objects/subscription/settle.ts";
import type { ClaimAnswer, LogPush, SettleAnswer } from "../../src/durable-objects/rpc.ts";
import { ACCEPTED, EPOCH, FAILED, LedgerWorld, lineOf, outcomeOf, REFUSED, sumOf } from "./ledger-world.ts";

type Claim = Extract<ClaimAnswer, { kind: "claimed" }>;

let world: LedgerWorld;
let worlds = 0;

beforeEach(async () => {
  worlds += 1;
  world = new LedgerWorld(`scripted${worlds}`, ["t"]);
  await world.define();
});

async function push(events: number, eventsMax?: number): Promise<void> {
  world.log("t").head += events;
  await accept(world.log("t").push(eventsMax));
}

const accept = (pushed: LogPush) => world.step((ledger) => {
  const { answer, messages } = acceptPush(ledger, pushed, Date.now());
  world.sent.push(...messages);
  return answer;
});

const claim = (dispatch: number): Promise<ClaimAnswer> => world.step((ledger) => claimDispatch(ledger, dispatch, Date.now()));

async function claimed(dispatch: number): Promise<Claim> {
  const answer = await claim(dispatch);
  if (answer.kind !== "claimed") throw new Error(`dispatch ${dispatch} cannot be claimed`);
  return answer;
}

const settle = (dispatch: number, by: Claim, outcomes: readonly AttemptOutcome[], done = true): Promise<SettleAnswer> =>
  world.step((ledger) => settleDispatch(
    ledger, dispatch, by.claim, outcomes.map((outcome, index) => outcomeOf(by.deliveries[index]!, outcome)), done, Date.now(), () => 0));

/** Claims the newest dispatch and settles all of it in one way. */
async function settleNewest(outcome: AttemptOutcome): Promise<void> {
  const { dispatch } = world.sent.at(-1)!;
  const by = await claimed(dispatch);
  await settle(dispatch, by, by.deliveries.map(() => outcome));
}

/** The sum, and then the stats that a test asks for. */
async function stats() {
  const now = await world.stats();
  expect(sumOf(now)).toBe(now.matched);
  return now;
}

describe("what a log tells", () => {
  it("[DLV-1] goes out with the message, is claimed once, settled once and counted once", async () => {
    await push(3);
    expect(world.sent).toHaveLength(1);
    expect(world.sent[0]!.events.map(({ offset, line }) => [offset, line])).toEqual([[1, lineOf(1)], [2, lineOf(2)], [3, lineOf(3)]]);
    expect(await stats()).toMatchObject({ matched: 3, owed: 3, inFlight: 0, lag: 0 });
    const by = await claimed(1);
    expect(await claim(1)).toEqual({ kind: "nothing" });
    expect(await stats()).toMatchObject({ owed: 3, inFlight: 3 });
    expect(await settle(1, by, [ACCEPTED, ACCEPTED], false)).toEqual({ continue: true });
    expect(await stats()).toMatchObject({ delivered: 2, owed: 1 });
    await world.step((ledger) => settleDispatch(ledger, 1, by.claim, by.deliveries.map((delivery) => outcomeOf(delivery, ACCEPTED)), true, Date.now(), () => 0));
    expect(await stats()).toMatchObject({ matched: 3, delivered: 3, owed: 0, oldestOwedAt: null });
    expect(await claim(1)).toEqual({ kind: "nothing" });
  });

  it("[DLV-13] told twice it is examined once", async () => {
    world.log("t").head = 5;
    const pushed = world.log("t").push();
    await accept(pushed);
    expect(await accept(pushed)).toEqual({ kind: "accepted", through: 5 });
    expect(await accept({ ...pushed, after: 2, offsets: [3, 4, 5], body: joinLines([3, 4, 5].map(lineOf)) })).toEqual({ kind: "accepted", through: 5 });
    expect(await stats()).toMatchObject({ matched: 5, owed: 5 });
  });

  it("[DLV-13] after a hole the ledger reads the hole itself", async () => {
    world.log("t").head = 4;
    await push(0, 2);
    world.log("t").told = 3; // A push was lost with the process.
    await push(0);
    expect(await stats()).toMatchObject({ matched: 2, lag: 2 });
    await world.pump();
    expect(await stats()).toMatchObject({ matched: 4, owed: 4, lag: 0 });
  });

  it("[DLV-10] never passes the window, and goes on when there is room again", async () => {
    world = new LedgerWorld("windowed", ["t"], { maxInFlight: 10 });
    await world.define();
    await push(25);
    await world.pump();
    expect(await stats()).toMatchObject({ matched: 10, owed: 10, lag: 15 });
    expect(world.sent.map(({ events }) => events.length)).toEqual([5, 5]);
    await settleNewest(ACCEPTED);
    await world.pump();
    expect(await stats()).toMatchObject({ delivered: 5, owed: 10, lag: 10 });
  });

  it("[DLV-13] of a topic that nobody follows is not wanted", async () => {
    expect(await accept({ topic: "other", partition: 0, epoch: EPOCH, after: 0, through: 1, head: 1, offsets: [1], body: lineOf(1) })).toEqual({ kind: "gone" });
  });

  it("[FLT-2] passes the content filter here", async () => {
    world = new LedgerWorld("filtered", ["t"], { filter: { data: { third: [true] } } });
    await world.define();
    await push(10);
    expect(await stats()).toMatchObject({ matched: 3, owed: 3, lag: 0 });
    expect(world.sent[0]!.events.map(({ offset }) => offset)).toEqual([3, 6, 9]);
  });
});

describe("a delivery that fails", () => {
  it("[DLV-3] is tried again, dies after its last attempt, and keeps its event and its story", async () => {
    await push(1);
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      const { dispatch } = world.sent.at(-1)!;
      const by = await claimed(dispatch);
      expect(by.deliveries[0]).toMatchObject({ attempt, id: deliveryKey(world.definition.id, 1, 1) });
      await settle(dispatch, by, [FAILED]);
      await stats();
      await world.pump();
    }
    expect(await stats()).toMatchObject({ matched: 1, dead: 1, owed: 0 });
    const { items } = await world.step((ledger) => listDeadLetters(ledger, null, 10));
    expect(items).toMatchObject([{ offset: 1, topic: "t", reason: "attempts_exhausted", event: lineOf(1) }]);
    expect(items[0]!.attempts.map(({ status, excerpt }) => [status, excerpt])).toEqual([[500, "broken"], [500, "broken"], [500, "broken"]]);
  });

  it("[DLV-2] refused for good dies at once", async () => {
    await push(2);
    await settleNewest(REFUSED);
    expect(await stats()).toMatchObject({ dead: 2, owed: 0 });
  });

  it("[DLV-5] with 410 stops the subscription and stays owed; resumed, the attempt does not count", async () => {
    await push(2);
    const by = await claimed(1);
    expect(await settle(1, by, [{ kind: "gone" }], false)).toEqual({ continue: false });
    await settle(1, by, []);
    expect(await world.step((ledger) => ledger.state)).toBe("disabled");
    expect(await stats()).toMatchObject({ owed: 2, dead: 0 });
    await world.pump();
    expect(await claim(1)).toEqual({ kind: "nothing" });

    await world.step((ledger) => changeState(ledger, "active"));
    await world.pump();
    const again = await claimed(world.sent.at(-1)!.dispatch);
    expect(again.deliveries).toMatchObject([{ offset: 1, attempt: 1 }]);
  });

  it("[DLV-6] what was not attempted goes back into the same dispatch and costs nothing", async () => {
    await push(3);
    const by = await claimed(1);
    await settle(1, by, [ACCEPTED, { kind: "not_attempted" }]);
    expect(await stats()).toMatchObject({ delivered: 1, owed: 2, inFlight: 0 });
    expect((await claimed(1)).deliveries.map(({ offset, attempt }) => [offset, attempt])).toEqual([[2, 1], [3, 1]]);
  });

  it("[DLV-7] because retention took its event expires", async () => {
    await push(2);
    await settleNewest({ kind: "expired" });
    expect(await stats()).toMatchObject({ expired: 2, owed: 0 });
  });
});

describe("what is lost on the way", () => {
  it("[DLV-11] a message that nobody claims is rung again, ever later", async () => {
    await push(1);
    const start = Date.now();
    const ringAfter = (ms: number) => world.step((ledger) => ringUnclaimed(ledger, start + ms, false).map(({ dispatch }) => dispatch));
    expect(await ringAfter(LIMITS.DISPATCH_RING_MS - 1_000)).toEqual([]);
    expect(await ringAfter(LIMITS.DISPATCH_RING_MS + 1_000)).toEqual([1]);
    expect(await ringAfter(LIMITS.DISPATCH_RING_MS + 2_000)).toEqual([]);
    expect(await ringAfter(60_000)).toEqual([1]);
    await settleNewest(ACCEPTED);
    expect(await ringAfter(3_600_000)).toEqual([]);
  });

  it("[DLV-16] a claim that lapses is rung again, and its consumer may still say what was accepted", async () => {
    await push(2);
    const lost = await claimed(1);
    await world.step((ledger) => endLapsedClaims(ledger, world.env, Date.now() + 60_000));
    expect(await world.step((ledger) => ringUnclaimed(ledger, Date.now() + 60_000, false))).toMatchObject([{ dispatch: 1, events: [] }]);
    expect(await settle(1, lost, [ACCEPTED, FAILED], false)).toEqual({ continue: false });
    expect(await stats()).toMatchObject({ delivered: 1, owed: 1, dead: 0 });
    expect((await claimed(1)).deliveries.map(({ offset, attempt }) => [offset, attempt])).toEqual([[2, 1]]);
  });

  it("[DLV-16] a dispatch that kills its consumers falls apart, and its deliveries go alone", async () => {
    await push(3);
    for (let lapses = 1; lapses <= LIMITS.DISPATCH_LAPSES_MAX; lapses += 1) {
      await claimed(1);
      await world.step((ledger) => endLapsedClaims(ledger, world.env, Date.now() + 60_000));
      expect(await stats()).toMatchObject({ owed: 3 });
    }
    expect(await claim(1)).toEqual({ kind: "nothing" });
    await world.step((ledger) => ledger.storage.sql.exec("UPDATE retries SET next_at = 0").rowsWritten); // They lapsed a minute from now.
    const before = world.sent.length;
    await world.pump();
    const alone = world.sent.slice(before);
    expect(alone).toHaveLength(3);
    expect((await claimed(alone[0]!.dispatch)).deliveries.map(({ attempt }) => attempt)).toEqual([2]);
  });

  it("[DLV-16] a settle between two lapses starts the count anew", async () => {
    await push(2);
    for (let lapses = 1; lapses < LIMITS.DISPATCH_LAPSES_MAX; lapses += 1) {
      await claimed(1);
      await world.step((ledger) => endLapsedClaims(ledger, world.env, Date.now() + 60_000));
    }
    await settle(1, await claimed(1), [ACCEPTED], false);
    await world.step((ledger) => endLapsedClaims(ledger, world.env, Date.now() + 60_000));
    expect((await claimed(1)).deliveries.map(({ offset }) => offset)).toEqual([2]);
  });

  it("[DLV-16] a lapse that is the last attempt dies with its own copy of the event", async () => {
    world = new LedgerWorld("lapsing", ["t"], { retry: { maxAttempts: 1, delaysMs: [0], retryOn4xx: false } });
    await world.define();
    await push(1);
    for (let lapses = 1; lapses <= LIMITS.DISPATCH_LAPSES_MAX; lapses += 1) {
      await claimed(1);
      await world.step((ledger) => endLapsedClaims(ledger, world.env, Date.now() + 60_000));
    }
    expect((await world.step((ledger) => listDeadLetters(ledger, null, 10))).items).toMatchObject([{ offset: 1, event: lineOf(1) }]);
    expect(await stats()).toMatchObject({ dead: 1, owed: 0 });
  });

  it("[DLV-17] what retention takes from the unexamined counts as expired", async () => {
    await world.step((ledger) => changeState(ledger, "paused"));
    await push(10);
    world.log("t").firstHeld = 8;
    await world.step((ledger) => changeState(ledger, "active"));
    await world.pump();
    expect(await stats()).toMatchObject({ matched: 10, expired: 7, owed: 3, lag: 0 });
  });

  it("[DLV-17] a log that cannot be reached is asked again and stops no other", async () => {
    world = new LedgerWorld("reach", ["t", "u"]);
    await world.define();
    await world.step((ledger) => changeState(ledger, "paused"));
    for (const log of world.logs.values()) {
      log.head = 2;
      await accept(log.push());
    }
    await world.step((ledger) => changeState(ledger, "active"));
    world.log("t").reachable = false;
    await world.pump();
    expect(await stats()).toMatchObject({ matched: 2 });
    world.log("t").reachable = true;
    await world.pump();
    expect(await stats()).toMatchObject({ matched: 4, owed: 4 });
  });
});

describe("pausing", () => {
  it("[DLV-18] claims nothing and loses nothing; what is under way still counts", async () => {
    await push(2);
    const by = await claimed(1);
    await world.step((ledger) => changeState(ledger, "paused"));
    await push(5);
    await world.pump();
    expect(await settle(1, by, [ACCEPTED], false)).toEqual({ continue: false });
    expect(await stats()).toMatchObject({ delivered: 1, owed: 1, lag: 5 });
    await settle(1, by, []);
    expect(await claim(1)).toEqual({ kind: "nothing" });

    await world.step((ledger) => changeState(ledger, "active"));
    expect(await world.step((ledger) => ringUnclaimed(ledger, Date.now(), true))).toMatchObject([{ dispatch: 1 }]);
    await world.pump();
    expect(await stats()).toMatchObject({ matched: 7, delivered: 1, owed: 6, lag: 0 });
  });
});

describe("dead letters", () => {
  async function bury(events: number): Promise<void> {
    await push(events);
    for (let opened = 1; opened <= world.sent.length; opened += 1) {
      const answer = await claim(opened);
      if (answer.kind === "claimed") await settle(opened, answer, answer.deliveries.map(() => REFUSED));
    }
  }

  it("[DLV-19] redriven by id go out again once, marked, with their own copy, and the cursor stays", async () => {
    await bury(3);
    world.log("t").firstHeld = 4; // The log has nothing of them any more.
    const examined = await world.step((ledger) => ledger.sources.get(1)!.examined);
    const ids = [deliveryKey(world.definition.id, 1, 2), deliveryKey(world.definition.id, 1, 99), "msg_of_somebody_else"];
    const redrive = (dryRun: boolean) => world.step((ledger) => redriveDeadLetters(ledger, { kind: "ids", ids }, dryRun, Date.now()));
    expect(await redrive(true)).toBe(1);
    expect(await stats()).toMatchObject({ dead: 3, owed: 0 });
    expect(await redrive(false)).toBe(1);
    expect(await redrive(false)).toBe(0);
    expect(await stats()).toMatchObject({ dead: 2, owed: 1 });

    await world.pump();
    const by = await claimed(world.sent.at(-1)!.dispatch);
    expect(by.deliveries).toMatchObject([{ id: ids[0], offset: 2, attempt: 1, redrive: true, line: lineOf(2) }]);
    await settle(world.sent.at(-1)!.dispatch, by, [ACCEPTED]);
    expect(await stats()).toMatchObject({ matched: 3, delivered: 1, dead: 2, owed: 0 });
    expect(await world.step((ledger) => ledger.sources.get(1)!.examined)).toBe(examined);
  });

  it("[DLV-19] that die again keep the story of their first death", async () => {
    await bury(1);
    await world.step((ledger) => redriveDeadLetters(ledger, { kind: "all" }, false, Date.now()));
    await world.pump();
    await settleNewest(REFUSED);
    const { items } = await world.step((ledger) => listDeadLetters(ledger, null, 10));
    expect(items[0]!.attempts).toHaveLength(2);
    expect(await stats()).toMatchObject({ dead: 1, owed: 0 });
  });

  it("[DLV-19] discarded are counted and gone", async () => {
    await bury(2);
    const discard = () => world.step((ledger) => discardDeadLetters(ledger, { kind: "all" }, false));
    expect(await discard()).toBe(2);
    expect(await discard()).toBe(0);
    expect(await stats()).toMatchObject({ matched: 2, dead: 0, discarded: 2 });
  });

  it("[DLV-19] ten thousand are redriven in slices", async () => {
    await world.step((ledger) => ledger.storage.transactionSync(() => {
      const source = ledger.sources.insert({ topic: "t", partition: 0, epoch: EPOCH }, 10_000, false);
      ledger.sources.advance(source.id, 10_000, false, 10_000);
      ledger.sources.count(source.id, { dead: 10_000 });
      for (let offset = 1; offset <= 10_000; offset += 1) {
        ledger.deadLetters.insert({ source: source.id, offset, reason: "attempts_exhausted", diedAt: 1, line: lineOf(offset), attempts: [] });
      }
    }));
    expect(await world.step((ledger) => redriveDeadLetters(ledger, { kind: "all" }, false, Date.now()))).toBe(10_000);
    world.log("t").head = 10_000;
    expect(await stats()).toMatchObject({ matched: 10_000, dead: 0, owed: 10_000 });
  });

  it("[DLV-12] are listed page by page, the newest last", async () => {
    await bury(5);
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const page = await world.step((ledger) => listDeadLetters(ledger, cursor, 2));
      seen.push(...page.items.map(({ offset }) => offset));
      cursor = page.cursor;
    } while (cursor !== null);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("a topic's end", () => {
  it("[DLV-20] expires what is owed from that life, wherever it stands, but not what has its own copy", async () => {
    await push(4);
    const by = await claimed(1);
    await settle(1, by, [ACCEPTED, FAILED, REFUSED], false);
    await world.step((ledger) => redriveDeadLetters(ledger, { kind: "all" }, false, Date.now()));
    expect(await stats()).toMatchObject({ delivered: 1, owed: 3 });
    await world.step((ledger) => ledger.storage.transactionSync(() => retireSource(ledger, ledger.sources.get(1)!)));
    expect(await stats()).toMatchObject({ delivered: 1, expired: 2, owed: 1 });
    // The consumer still works on what it claimed: it comes too late, and changes nothing.
    await settle(1, by, by.deliveries.map(() => ACCEPTED));
    expect(await stats()).toMatchObject({ delivered: 1, expired: 2, owed: 1 });
  });

  it("[DLV-20] is told by the first push of the next life as well", async () => {
    await push(2);
    await accept({ topic: "t", partition: 0, epoch: EPOCH + 1, after: 0, through: 1, head: 1, offsets: [1], body: lineOf(1) });
    expect(await stats()).toMatchObject({ matched: 3, expired: 2, owed: 1 });
    // A late word of the life before is heard and means nothing.
    expect(await accept({ topic: "t", partition: 0, epoch: EPOCH - 1, after: 0, through: 9, head: 9, offsets: [9], body: lineOf(9) })).toEqual({ kind: "accepted", through: 9 });
    expect(await stats()).toMatchObject({ matched: 3 });
  });

  it("[DLV-20] a topic that is no longer selected is left alone, and what is owed from it still goes", async () => {
    await push(2);
    await world.step((ledger) => configure(ledger, world.env, { ...world.definition, revision: 2, topics: ["other"] }));
    expect(await accept({ topic: "t", partition: 0, epoch: EPOCH, after: 2, through: 3, head: 3, offsets: [3], body: lineOf(3) })).toEqual({ kind: "gone" });
    await settleNewest(ACCEPTED);
    expect(await stats()).toMatchObject({ matched: 2, delivered: 2, owed: 0, lag: 0 });
  });
});

it("[DLV-12] owed deliveries are listed from retries and dispatches alike, claimed ones as in flight", async () => {
  await push(6, 3);
  await settle(1, await claimed(1), [FAILED, ACCEPTED]);
  await claimed(1);
  await world.pump();
  const list = (state: "owed" | "in_flight", cursor: string | null, limit: number) => world.step((ledger) => listDeliveries(ledger, state, cursor, limit));
  expect((await list("in_flight", null, 10)).items.map(({ offset }) => offset)).toEqual([3]);
  const first = await list("owed", null, 2);
  const second = await list("owed", first.cursor, 10);
  expect([...first.items, ...second.items].map(({ offset }) => offset)).toEqual([1, 4, 5, 6]);
  expect(second.cursor).toBeNull();
  expect(first.items[0]!.attempts).toHaveLength(1);
});
