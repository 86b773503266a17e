import { beforeEach, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { deliveryKey } from "../../src/core/keys.ts";
import { LedgerAlarm, ringUnclaimed } from "../../src/durable-objects/subscription/alarm.ts";
import { configure } from "../../src/durable-objects/subscription/configure.ts";
import { countChosen, repairDeadLetters } from "../../src/durable-objects/subscription/dead-letters.ts";
import { listDeadLetters, listDeliveries } from "../../src/durable-objects/subscription/list-deliveries.ts";
import { retireSource } from "../../src/durable-objects/subscription/retire.ts";
import type { DeadLetterQuery } from "../../src/core/dead-letter.ts";
import { ACCEPTED, EPOCH, FAILED, LedgerWorld, lineOf, REFUSED } from "./ledger-world.ts";

let world: LedgerWorld;
let worlds = 0;

beforeEach(async () => {
  worlds += 1;
  world = new LedgerWorld(`upkept${worlds}`, ["t"]);
  await world.define();
});

describe("pausing", () => {
  it("[DLV-18] claims nothing and loses nothing; what is under way still counts", async () => {
    await world.push(2);
    const by = await world.claimed(1);
    await world.setState("paused");
    await world.push(5);
    await world.pump();
    expect(await world.settle(1, by, [ACCEPTED], false)).toEqual({ continue: false });
    expect(await world.stats()).toMatchObject({ delivered: 1, owed: 1, lag: 5 });
    await world.settle(1, by, []);
    expect(await world.claim(1)).toEqual({ kind: "nothing" });

    await world.setState("active");
    expect(await world.step((ledger) => ringUnclaimed(ledger, Date.now(), true))).toMatchObject([{ dispatch: 1 }]);
    await world.pump();
    expect(await world.stats()).toMatchObject({ matched: 7, delivered: 1, owed: 6, lag: 0 });
  });
});

describe("the alarm", () => {
  it("[DLV-43] stands half a minute ahead at most while anything is owed, and not at all where nothing is", async () => {
    expect(await world.alarmIn()).toBeNull();
    await world.push(1);
    await world.settle(1, await world.claimed(1), [FAILED]);
    const due = await world.step((ledger) => {
      ledger.storage.sql.exec("UPDATE retries SET next_at = next_at + 3600000");
      return ledger.retries.nextAt();
    });
    expect(due! - Date.now()).toBeGreaterThan(3_000_000);
    expect(await world.alarmIn()).toBe(LIMITS.LEDGER_LOOK_MS);
    expect(await world.alarmIn(due! - 1_000)).toBe(1_000);
  });

  it("[DLV-43] is set anew when it should have come and has not, and else once", async () => {
    await world.push(1);
    const stood = await world.step(async (ledger) => {
      const alarm = new LedgerAlarm(ledger);
      const now = Date.now();
      const standsAt: (number | null)[] = [];
      for (const at of [now, now + 1_000, now + LIMITS.DISPATCH_RING_MS + LIMITS.ALARM_LATE_MS + 1_000]) {
        await alarm.stand(at);
        standsAt.push((await ledger.storage.getAlarm())! - now);
      }
      await ledger.storage.deleteAlarm();
      return standsAt;
    });
    const { DISPATCH_RING_MS: ring, ALARM_LATE_MS: late } = LIMITS;
    expect(stood).toEqual([expect.closeTo(ring, -2), expect.closeTo(ring, -2), ring + late + 1_000]);
    expect(stood[1]).toBe(stood[0]);
  });
});

const ofReason = (reason: string): DeadLetterQuery => ({ filter: null, reason, fingerprint: null });

describe("dead letters", () => {
  it("[DLV-19] redriven by id go out again once, marked, with their own copy, and the cursor stays", async () => {
    await world.bury(3);
    world.log("t").firstHeld = 4; // The log has nothing of them any more.
    const examined = await world.step((ledger) => ledger.sources.get(1)!.examined);
    const ids = [
      deliveryKey(world.definition.id, 1, 2),
      deliveryKey(world.definition.id, 1, 99),
      "msg_of_somebody_else",
    ];
    const redrive = () =>
      world.step((ledger) => repairDeadLetters(ledger, "redrive", { kind: "ids", ids }, Date.now()));
    expect(await world.step((ledger) => countChosen(ledger, { kind: "ids", ids }))).toBe(1);
    expect(await world.stats()).toMatchObject({ dead: 3, owed: 0 });
    expect(await redrive()).toBe(1);
    expect(await redrive()).toBe(0);
    expect(await world.stats()).toMatchObject({ dead: 2, owed: 1 });

    await world.pump();
    const by = await world.claimed(world.sent.at(-1)!.dispatch);
    expect(by.deliveries).toMatchObject([{ id: ids[0], offset: 2, attempt: 1, redrive: true, line: lineOf(2) }]);
    await world.settle(world.sent.at(-1)!.dispatch, by, [ACCEPTED]);
    expect(await world.stats()).toMatchObject({ matched: 3, delivered: 1, dead: 2, owed: 0 });
    expect(await world.step((ledger) => ledger.sources.get(1)!.examined)).toBe(examined);
  });

  it("[DLV-19] that die again keep the story of their first death", async () => {
    await world.bury(1);
    await world.redriveAll();
    await world.pump();
    await world.settleNewest(REFUSED);
    const { items } = await world.step((ledger) => listDeadLetters(ledger, null, 10));
    expect(items[0]!.attempts).toHaveLength(2);
    expect(await world.stats()).toMatchObject({ dead: 1, owed: 0 });
  });

  it("[DLV-19] discarded are counted and gone", async () => {
    await world.bury(2);
    expect(await world.discardAll()).toBe(2);
    expect(await world.discardAll()).toBe(0);
    expect(await world.stats()).toMatchObject({ matched: 2, dead: 0, discarded: 2 });
  });

  it("[DLV-19] ten thousand are redriven in slices", async () => {
    await world.step((ledger) =>
      ledger.storage.transactionSync(() => {
        const source = ledger.sources.insert({ topic: "t", partition: 0, epoch: EPOCH }, 10_000, false);
        ledger.sources.advance(source.id, 10_000, false, 10_000);
        ledger.sources.count(source.id, { dead: 10_000 });
        for (let offset = 1; offset <= 10_000; offset += 1) {
          ledger.deadLetters.insert({
            source: source.id,
            offset,
            reason: "attempts_exhausted",
            diedAt: 1,
            line: lineOf(offset),
            attempts: [],
          });
        }
      }),
    );
    expect(await world.redriveAll()).toBe(10_000);
    world.log("t").head = 10_000;
    expect(await world.stats()).toMatchObject({ matched: 10_000, dead: 0, owed: 10_000 });
  });

  it("[DLV-12] are listed page by page, the newest last", async () => {
    await world.bury(5);
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const page = await world.step((ledger) => listDeadLetters(ledger, cursor, 2));
      seen.push(...page.items.map(({ offset }) => offset));
      cursor = page.cursor;
    } while (cursor !== null);
    expect(seen).toEqual([1, 2, 3, 4, 5]);
  });

  it("[DLV-12] are listed by reason, page by page as well", async () => {
    await world.bury(2);
    await world.step((ledger) => {
      const more = { source: 1, line: lineOf(9), attempts: [], diedAt: 2 };
      ledger.deadLetters.insert({ ...more, offset: 8, reason: "attempts_exhausted" });
      ledger.deadLetters.insert({ ...more, offset: 9, reason: "refused_permanently" });
    });
    const reasons = await world.step((ledger) => listDeadLetters(ledger, null, 10).items.map(({ reason }) => reason));
    for (const asked of new Set(reasons)) {
      const page = await world.step((ledger) => listDeadLetters(ledger, null, 10, ofReason(asked)));
      expect(page.items.map(({ reason }) => reason)).toEqual(reasons.filter((reason) => reason === asked));
      expect(page.cursor).toBeNull();
    }
    expect(await world.step((ledger) => listDeadLetters(ledger, null, 10, ofReason("none_of_them")))).toEqual({
      items: [],
      cursor: null,
    });
  });
});

describe("a topic's end", () => {
  it("[DLV-20] expires what is owed from that life, wherever it stands, but not what has its own copy", async () => {
    await world.push(4);
    const by = await world.claimed(1);
    await world.settle(1, by, [ACCEPTED, FAILED, REFUSED], false);
    await world.redriveAll();
    expect(await world.stats()).toMatchObject({ delivered: 1, owed: 3 });
    await world.step((ledger) => ledger.storage.transactionSync(() => retireSource(ledger, ledger.sources.get(1)!)));
    expect(await world.stats()).toMatchObject({ delivered: 1, expired: 2, owed: 1 });
    // The consumer still works on what it claimed: it comes too late, and changes nothing.
    await world.settle(
      1,
      by,
      by.deliveries.map(() => ACCEPTED),
    );
    expect(await world.stats()).toMatchObject({ delivered: 1, expired: 2, owed: 1 });
  });

  it("[DLV-20] is told by the first push of the next life as well", async () => {
    await world.push(2);
    await world.accept({
      topic: "t",
      partition: 0,
      epoch: EPOCH + 1,
      after: 0,
      through: 1,
      head: 1,
      offsets: [1],
      body: lineOf(1),
    });
    expect(await world.stats()).toMatchObject({ matched: 3, expired: 2, owed: 1 });
    // A late word of the life before is heard and means nothing.
    expect(
      await world.accept({
        topic: "t",
        partition: 0,
        epoch: EPOCH - 1,
        after: 0,
        through: 9,
        head: 9,
        offsets: [9],
        body: lineOf(9),
      }),
    ).toEqual({ kind: "accepted", through: 9 });
    expect(await world.stats()).toMatchObject({ matched: 3 });
  });

  it("[DLV-20] a topic that is no longer selected is left alone, and what is owed from it still goes", async () => {
    await world.push(2);
    await world.step((ledger) => configure(ledger, world.env, { ...world.definition, revision: 2, topics: ["other"] }));
    expect(
      await world.accept({
        topic: "t",
        partition: 0,
        epoch: EPOCH,
        after: 2,
        through: 3,
        head: 3,
        offsets: [3],
        body: lineOf(3),
      }),
    ).toEqual({ kind: "gone" });
    await world.settleNewest(ACCEPTED);
    expect(await world.stats()).toMatchObject({ matched: 2, delivered: 2, owed: 0, lag: 0 });
  });
});

it("[DLV-12] owed deliveries are listed from retries and dispatches alike, those in flight among them", async () => {
  await world.push(6, 3);
  await world.settle(1, await world.claimed(1), [FAILED, ACCEPTED]);
  await world.claimed(1);
  await world.pump();
  const list = (state: "owed" | "in_flight", cursor: string | null, limit: number) =>
    world.step((ledger) => listDeliveries(ledger, state, cursor, limit));
  expect((await list("in_flight", null, 10)).items.map(({ offset }) => offset)).toEqual([3]);
  const first = await list("owed", null, 2);
  const second = await list("owed", first.cursor, 10);
  const owed = [...first.items, ...second.items].map(({ offset, state }) => [offset, state]);
  expect(owed).toEqual([1, 3, 4, 5, 6].map((offset) => [offset, offset === 3 ? "in_flight" : "owed"]));
  expect(second.cursor).toBeNull();
  expect(first.items[0]!.attempts).toHaveLength(1);
});
