/** How far a ledger says it has settled a topic, whatever keeps a delivery back. */
import { beforeEach, expect, it } from "vitest";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import type { SettledAsk } from "../../src/core/settled.ts";
import type { SubscriptionDefinition } from "../../src/core/subscription.ts";
import { Puller } from "../../src/durable-objects/subscription/pull-take.ts";
import { replay } from "../../src/durable-objects/subscription/replay.ts";
import { retireSource } from "../../src/durable-objects/subscription/retire.ts";
import { seek } from "../../src/durable-objects/subscription/seek.ts";
import { askSettled } from "../../src/durable-objects/subscription/settled.ts";
import { settleDispatch } from "../../src/durable-objects/subscription/settle.ts";
import { skipParked } from "../../src/durable-objects/subscription/parked.ts";
import { valueOf } from "../builders/log.ts";
import { ACCEPTED, EPOCH, FAILED, LedgerWorld, outcomeOf, REFUSED } from "./ledger-world.ts";

const HOUR = 3_600_000;
const RETRY = { maxAttempts: 2, delaysMs: [HOUR], retryOn4xx: false };

let world: LedgerWorld;
let worlds = 0;

const begin = async (more: Partial<SubscriptionDefinition> = {}): Promise<void> => {
  worlds += 1;
  world = new LedgerWorld(`settled${worlds}`, ["t"], { retry: RETRY, ...more });
  await world.define();
};

beforeEach(() => begin());

const ask = (offset: number, more: Partial<SettledAsk> = {}) => {
  const minCursor = { epoch: EPOCH, offsets: new Map([[0, offset]]) };
  return world.step((ledger) => askSettled(ledger, world.env, { revision: 1, topic: "t", minCursor, ...more }));
};
/** The last offset that it says is reached. */
async function reaches(): Promise<number> {
  const { offsets } = valueOf(await ask(0));
  const last = offsets.get(0) ?? 0;
  expect(valueOf(await ask(last)).reached).toBe(true);
  if (last < world.log("t").head) expect(valueOf(await ask(last + 1)).reached).toBe(false);
  return last;
}

/** Settles whatever is dispatched: what `outcomeAt` has no word for is accepted. */
async function work(outcomeAt: Readonly<Record<number, AttemptOutcome>> = {}): Promise<void> {
  await world.pump();
  for (const id of await world.step((ledger) => ledger.dispatches.all().map((dispatch) => dispatch.id))) {
    const by = await world.claimed(id);
    const settled = by.deliveries.map((delivery) => outcomeOf(delivery, outcomeAt[delivery.offset] ?? ACCEPTED));
    await world.step((ledger) => settleDispatch(ledger, id, by.claim, settled, true, Date.now(), () => 0));
  }
}

it("[PRJ-4] what is dispatched, in part or whole, is not settled before its target has taken it", async () => {
  await world.push(5);
  expect(await reaches()).toBe(0);
  const { dispatch } = world.sent[0]!;
  const by = await world.claimed(dispatch);
  await world.settle(dispatch, by, [ACCEPTED, ACCEPTED], false);
  expect(await reaches()).toBe(2);
  await world.settle(dispatch, by, [ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED, ACCEPTED]);
  expect(await reaches()).toBe(5);
});

it("[PRJ-4] one that failed holds back all behind it until it is delivered, dead or given up", async () => {
  await world.push(6);
  await work({ 2: FAILED, 4: FAILED });
  expect(await reaches()).toBe(1);
  await world.step((ledger) => ledger.retries.hasten({ source: 1, offset: 2 }, 0));
  await work({ 2: FAILED }); // Its last attempt.
  expect(await world.stats()).toMatchObject({ dead: 1, owed: 1 });
  expect(await reaches()).toBe(3);
  await world.step((ledger) => skipParked(ledger, `msg_${world.definition.id}_1_4`));
  expect(await reaches()).toBe(6);
});

it("[PRJ-4] one that is out again after a failure is owed as before", async () => {
  await world.push(3);
  await work({ 2: FAILED });
  await world.step((ledger) => ledger.retries.hasten({ source: 1, offset: 2 }, 0));
  await world.pump();
  expect(await world.step((ledger) => ledger.dispatches.all())).toMatchObject([{ parked: true }]);
  expect(await reaches()).toBe(1);
  await work();
  expect(await reaches()).toBe(3);
});

it("[PRJ-4] what waits behind a failing head of its key is not settled", async () => {
  await begin({ ordering: "key" });
  await world.push(11); // Of k1: 1, 6, 11.
  await work({ 1: FAILED });
  await work();
  expect(await world.step((ledger) => ledger.waiting.count())).toBe(2);
  expect(await reaches()).toBe(0);
  await world.step((ledger) => ledger.retries.remove({ source: 1, offset: 1 })); // Only what waits holds it back now.
  expect(await reaches()).toBe(5);
});

it("[PRJ-4] what the filter leaves out is settled when it was looked at", async () => {
  await begin({ filter: { data: { third: [true] } } });
  await world.push(8);
  expect(await reaches()).toBe(2);
  await work();
  expect(await reaches()).toBe(8);
});

it("[PRJ-4] what was not looked at is not settled: behind a pause, and of a log that lost its push", async () => {
  await world.setState("paused");
  await world.push(3);
  expect(await reaches()).toBe(0);
  await world.setState("active");
  await work();
  expect(await reaches()).toBe(3);
  world.log("t").head = 7;
  expect(await reaches()).toBe(3);
});

it("[PRJ-4] what a worker holds on lease is not settled", async () => {
  await begin({ target: { kind: "pull" } });
  await world.push(4);
  const pull = { revision: 1, max: 2, leaseMs: 30_000 };
  await world.step((ledger) => new Puller(ledger, world.env).pull(pull));
  expect(await reaches()).toBe(0);
});

it("[PRJ-4] a dead letter that is redriven and a replay unsettle nothing; a seek back does", async () => {
  await world.push(4);
  await work({ 2: REFUSED });
  expect(await reaches()).toBe(4);
  await world.redriveAll();
  expect(await reaches()).toBe(4);
  await world.pump();
  expect(await reaches()).toBe(4);
  await work();
  const range = { from: { kind: "earliest" }, to: { kind: "latest" }, topic: null, partition: null } as const;
  const force = { ...range, mode: "force", filter: null, dryRun: false, ratePerSecond: null, lastJob: null } as const;
  valueOf(await world.step((ledger) => replay(ledger, world.env, force)));
  await world.pump();
  expect(await world.stats()).toMatchObject({ owed: 4 });
  expect(await reaches()).toBe(4);
  const back = { to: { kind: "offset", offset: 3 }, topic: null, partition: null, dryRun: false } as const;
  await world.step((ledger) => seek(ledger, world.env, back));
  expect(await reaches()).toBe(2);
  await work();
  expect(await reaches()).toBe(4);
});

it("[PRJ-4] what a generation before owes still is owed, whatever the next has settled", async () => {
  await world.push(4);
  await work({ 1: FAILED });
  const back = { to: { kind: "offset", offset: 3 }, topic: null, partition: null, dryRun: false } as const;
  await world.step((ledger) => seek(ledger, world.env, back));
  await work();
  expect(await reaches()).toBe(0);
});

it("[PRJ-6] refuses what lies ahead of the log, what it does not follow, and a life that has ended", async () => {
  await world.push(2);
  expect(await ask(3)).toMatchObject({ failure: { code: "cursor_invalid" } });
  expect(await ask(1, { topic: "u" })).toMatchObject({ failure: { code: "parameter_invalid" } });
  expect(await ask(1, { revision: 0 })).toMatchObject({ failure: { code: "subscription_not_found" } });
  const unknown = { epoch: EPOCH + 1, offsets: new Map([[0, 1]]) };
  expect(valueOf(await ask(1, { minCursor: unknown })).reached).toBe(false); // Not attached yet.
  await world.step((ledger) => retireSource(ledger, ledger.sources.get(1)!));
  expect(await ask(1)).toMatchObject({ failure: { code: "topic_not_found" } });
});
