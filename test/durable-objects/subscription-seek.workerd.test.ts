/** Seeks on the ledger's rows: forward, back, beside what is under way, and where order is promised. */
import { beforeEach, expect, it } from "vitest";
import type { Position } from "../../src/core/position.ts";
import type { SeekAsk, SeekMove } from "../../src/core/seek.ts";
import type { Result } from "../../src/core/result.ts";
import { seek } from "../../src/durable-objects/subscription/seek.ts";
import { valueOf } from "../builders/log.ts";
import { ACCEPTED, EPOCH, FAILED, LedgerWorld, REFUSED } from "./ledger-world.ts";

let world: LedgerWorld;
let worlds = 0;

beforeEach(async () => {
  worlds += 1;
  world = new LedgerWorld(`sought${worlds}`, ["t"]);
  await world.define();
});

const ask = (to: Position, more: Partial<SeekAsk> = {}): Promise<Result<readonly SeekMove[]>> =>
  world.step((ledger) => seek(ledger, world.env, { to, topic: null, partition: null, dryRun: false, ...more }));
const offset = (at: number): Position => ({ kind: "offset", offset: at });
const dispatched = (): number[] => world.sent.flatMap(({ events }) => events.map((event) => event.offset));

it("[RPL-1, RPL-2] back: what was delivered is examined again, and each is a new delivery", async () => {
  await world.push(5);
  await world.settleNewest(ACCEPTED);
  const before = world.sent.length;
  const preview = valueOf(await ask(offset(3), { dryRun: true }));
  expect(preview).toEqual([{ topic: "t", partition: 0, from: 6, to: 3, again: 3, skipped: 0 }]);
  expect(await world.stats()).toMatchObject({ matched: 5, delivered: 5, lag: 0 });
  expect(valueOf(await ask(offset(3)))).toEqual(preview);
  expect(await world.stats()).toMatchObject({ matched: 5, delivered: 5, lag: 3 });
  await world.pump();
  expect(dispatched().slice(-3)).toEqual([3, 4, 5]);
  const { dispatch } = world.sent[before]!;
  const by = await world.claimed(dispatch);
  expect(by.deliveries.map(({ id }) => id)).toEqual([3, 4, 5].map((at) => `msg_${world.definition.id}_2_${at}`));
  await world.settle(dispatch, by, [ACCEPTED, ACCEPTED, ACCEPTED]);
  await world.push(1);
  expect(await world.stats()).toMatchObject({ matched: 9, delivered: 8, owed: 1, lag: 0 });
});

it("[RPL-2] forward: what was not examined is skipped and counted; to where it stands changes nothing", async () => {
  await world.push(2);
  world.log("t").head = 10;
  expect(valueOf(await ask(offset(9)))).toMatchObject([{ from: 3, to: 9, again: 0, skipped: 6 }]);
  expect(await world.stats()).toMatchObject({ matched: 8, owed: 2, skipped: 6, lag: 2 });
  expect(valueOf(await ask(offset(9)))).toMatchObject([{ again: 0, skipped: 0 }]);
  await world.pump();
  expect(await world.stats()).toMatchObject({ matched: 10, owed: 4, skipped: 6, lag: 0 });
  expect(dispatched()).toEqual([1, 2, 9, 10]);
});

it("[RPL-3] what is under way, waits or died stays what it was, beside the same events examined again", async () => {
  await world.push(4);
  const by = await world.claimed(1);
  await world.settle(1, by, [REFUSED, FAILED], false);
  valueOf(await ask(offset(1)));
  expect(await world.stats()).toMatchObject({ matched: 4, owed: 3, dead: 1 });
  await world.pump();
  expect(await world.stats()).toMatchObject({ matched: 8, owed: 7, dead: 1 });
  const ids = await world.step((ledger) => ledger.dispatches.all().map(({ id }) => id));
  for (const id of ids.filter((other) => other !== 1)) {
    const claim = await world.claimed(id);
    await world.settle(
      id,
      claim,
      claim.deliveries.map(() => REFUSED),
    );
  }
  expect(await world.stats()).toMatchObject({ matched: 8, owed: 2, dead: 6 });
  await world.settle(1, by, [REFUSED, FAILED, ACCEPTED, ACCEPTED]);
  expect(await world.stats()).toMatchObject({ matched: 8, owed: 0, dead: 6, delivered: 2 });
});

it("[RPL-3] a page on its way when the place moves is not taken", async () => {
  await world.push(6);
  await world.settleNewest(ACCEPTED);
  world.log("t").head = 9;
  await world.step((ledger) => ledger.sources.markBehind(1));
  await world.pump((ledger) => void ledger.sources.beginGeneration(ledger.sources.get(1)!, 4));
  await world.pump();
  expect(await world.stats()).toMatchObject({ matched: 11, owed: 5, lag: 0 });
  expect(dispatched().slice(-5)).toEqual([5, 6, 7, 8, 9]);
});

it("[RPL-1] an offset is of one partition, a cursor of one life; what is trimmed or ahead is the log's first or head", async () => {
  world = new LedgerWorld("soughtwide", ["t", "u"]);
  await world.define();
  await world.push(5);
  await world.accept(world.log("u").push());
  expect(await ask(offset(1))).toMatchObject({ ok: false, failure: { code: "partition_required" } });
  expect(await ask(offset(1), { topic: "x" })).toMatchObject({ ok: false, failure: { code: "topic_not_found" } });
  const cursor = (epoch: number): Position => ({ kind: "cursor", cursor: { epoch, offsets: new Map([[0, 2]]) } });
  expect(await ask(cursor(EPOCH + 1))).toMatchObject({ ok: false, failure: { code: "cursor_invalid" } });
  expect(valueOf(await ask(cursor(EPOCH), { topic: "t", dryRun: true }))).toMatchObject([{ to: 3, again: 3 }]);
  world.log("t").firstHeld = 4;
  expect(valueOf(await ask(offset(1), { topic: "t", dryRun: true }))).toMatchObject([{ to: 4, again: 2 }]);
});

it("[RPL-4] in order it goes back only when it owes nothing, and forward at any time", async () => {
  world = new LedgerWorld("soughtinorder", ["t"], { ordering: "key" });
  await world.define();
  await world.push(3);
  expect(await ask(offset(1))).toMatchObject({ ok: false, failure: { code: "deliveries_owed" } });
  world.log("t").head = 6;
  expect(valueOf(await ask(offset(6)))).toMatchObject([{ skipped: 2 }]);
  for (let turn = 0; turn < 6; turn += 1) {
    const ids = await world.step((ledger) => ledger.dispatches.all().map(({ id }) => id));
    for (const id of ids) {
      const by = await world.claimed(id);
      await world.settle(
        id,
        by,
        by.deliveries.map(() => ACCEPTED),
      );
    }
    await world.pump();
  }
  expect(valueOf(await ask(offset(1)))).toMatchObject([{ again: 6 }]);
});
