/** The ledger behind its door: real logs, the real queue and its consumer, evictions and alarms. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeAll, expect, it } from "vitest";
import type { SubscriptionDefinition } from "../../src/core/subscription.ts";
import { defineListener } from "../../src/delivery/define-listener.ts";
import { registerListeners } from "../../src/delivery/listener-registry.ts";
import { acceptPush } from "../../src/durable-objects/subscription/accept.ts";
import { Ledger } from "../../src/durable-objects/subscription/ledger.ts";
import type { SubscriptionStats } from "../../src/core/subscription-report.ts";
import { subscription, topicLog } from "../../src/stubs.ts";
import { makeAppend, makeDrafts, makeLife, makeRead, valueOf } from "../builders/log.ts";
import { env, migrateDatabase } from "../builders/objects.ts";
import { eventually } from "../harness/wait.ts";
import { buryDirectly, makeDefinition, sumOf } from "./ledger-world.ts";

const APP = "app_test";
/** Offsets that the recording listener was called with, by delivery. */
const handled = new Map<string, number[]>();
let failing = (_offset: number, _attempt: number): boolean => false;

registerListeners([
  defineListener({
    name: "recorder",
    handle: (event, { subscription: name, attempt }) => {
      if (failing(event.offset, attempt)) throw new Error("not now");
      handled.set(name, [...(handled.get(name) ?? []), event.offset]);
    },
  }),
]);

beforeAll(migrateDatabase);

class Followed {
  readonly id: string;
  readonly topic: string;
  readonly definition: SubscriptionDefinition;
  #appended = 0;

  static async begin(id: string, more: Partial<SubscriptionDefinition> = {}): Promise<Followed> {
    const followed = new Followed(id, more);
    await followed.door.configure(followed.definition);
    valueOf(await followed.door.follow([{ topic: followed.topic, partitions: 1, life: makeLife() }]));
    return followed;
  }

  private constructor(id: string, more: Partial<SubscriptionDefinition>) {
    this.id = id;
    this.topic = `${id}.events`;
    this.definition = makeDefinition({
      id,
      app: APP,
      name: id,
      topics: [this.topic],
      target: { kind: "listener", name: "recorder" },
      retry: { maxAttempts: 3, delaysMs: [50], retryOn4xx: false },
      ...more,
    });
  }

  get door() {
    return subscription(env, APP, this.id);
  }

  get log() {
    return topicLog(env, APP, this.topic, 0);
  }

  async append(count: number): Promise<void> {
    valueOf(await this.log.append(makeAppend(makeDrafts(count, this.#appended + 1))));
    this.#appended += count;
  }

  async stats(): Promise<SubscriptionStats> {
    const { stats } = valueOf(await this.door.report());
    expect(sumOf(stats)).toBe(stats.matched);
    return stats;
  }

  settled(what: string): Promise<SubscriptionStats> {
    return eventually(
      () => this.stats(),
      ({ owed, lag }) => owed === 0 && lag === 0,
      what,
    );
  }
}

const upTo = (last: number): number[] => Array.from({ length: last }, (_, index) => index + 1);
const sorted = (offsets: readonly number[] = []): number[] => offsets.toSorted((left, right) => left - right);

it("[DLV-1] every event appended reaches the target once, whatever is evicted in between", async () => {
  const followed = await Followed.begin("evicted", { maxInFlight: 10 });
  for (let round = 0; round < 10; round += 1) {
    await followed.append(7);
    await evictDurableObject(followed.door);
    await followed.stats();
    await evictDurableObject(followed.log);
  }
  expect(await followed.settled("seventy are delivered")).toMatchObject({ matched: 70, delivered: 70 });
  expect(sorted(handled.get("evicted"))).toEqual(upTo(70));
});

it("[DLV-11] a message that the queue lost is rung by the alarm, after an eviction too", async () => {
  const followed = await Followed.begin("rung");
  await followed.door.pause();
  await followed.append(3);
  await runInDurableObject(followed.door, async (_instance, state) => {
    const ledger = new Ledger(state);
    ledger.setState("active");
    const page = valueOf(await followed.log.read(makeRead()));
    ledger.storage.sql.exec("UPDATE sources SET behind = 0"); // As if the push came while it was active.
    const push = { topic: followed.topic, partition: 0, epoch: makeLife().epoch, ...page };
    acceptPush(ledger, push, Date.now(), () => undefined); // Its message goes nowhere.
    ledger.storage.sql.exec("UPDATE dispatches SET ring_at = 1");
  });
  expect(await followed.stats()).toMatchObject({ matched: 3, owed: 3, inFlight: 0 });
  await evictDurableObject(followed.door);
  await followed.door.ring(1);
  await runDurableObjectAlarm(followed.door);
  expect(await followed.settled("three are delivered")).toMatchObject({ delivered: 3 });
});

it("[DLV-8] failures wait in the ledger and go again by its alarm; the last failure is a dead letter", async () => {
  const followed = await Followed.begin("failing");
  failing = (offset, attempt) => offset === 2 || (offset === 1 && attempt < 3);
  await followed.append(3);
  expect(await followed.settled("all are settled")).toMatchObject({ matched: 3, delivered: 2, dead: 1 });
  const { items } = await followed.door.deadLetters(null, 10);
  expect(items).toMatchObject([{ offset: 2, reason: "attempts_exhausted" }]);
  expect(items[0]!.attempts.map(({ error, excerpt }) => `${error}: ${excerpt}`)).toEqual(
    Array(3).fill("listener_threw: not now"),
  );

  failing = () => false;
  const options = { dryRun: false, ratePerSecond: null };
  expect(valueOf(await followed.door.redrive({ kind: "all" }, options))).toEqual({ matched: 1, job: null });
  expect(await followed.settled("the redriven one is delivered")).toMatchObject({ matched: 3, delivered: 3, dead: 0 });
});

it("[DLQ-5, DLQ-6] ten thousand dead letters redriven by filter, twice at once, are each owed once more", async () => {
  const followed = await Followed.begin("redriven");
  valueOf(await followed.door.pause()); // What comes of each delivery is proved elsewhere.
  const line = (offset: number): string => JSON.stringify({ offset, type: "t", data: { again: offset % 6 !== 0 } });
  const bury = (ledger: Ledger): void => buryDirectly(ledger, 12_000, line);
  await runInDurableObject(followed.door, (_door, state) => bury(new Ledger(state)));
  const filter = { data: { again: [true] } };
  const redrive = () => followed.door.redrive({ kind: "filter", filter }, { dryRun: false, ratePerSecond: null });
  const answers = (await Promise.all([redrive(), redrive()])).map(valueOf);
  expect(answers[0]).toEqual({ matched: 10_000, job: `job_${followed.id}_1` });
  const jobs = async () => Promise.all([1, 2].map(async (number) => valueOf(await followed.door.job(number))));
  for (let evictions = 0; evictions < 3; evictions += 1) {
    await evictDurableObject(followed.door);
    await followed.stats();
    await runDurableObjectAlarm(followed.door);
  }
  const ended = await eventually(jobs, (both) => both.every(({ state }) => state === "done"), "both have ended");
  expect(ended.reduce((sum, { done }) => sum + done, 0)).toBe(10_000);
  expect(await followed.stats()).toMatchObject({ matched: 12_000, owed: 10_000, dead: 2_000 });
});

it("[DLV-18] paused it only grows its lag; resumed it delivers all of it", async () => {
  const followed = await Followed.begin("paused");
  valueOf(await followed.door.pause());
  await followed.append(30);
  expect(
    await eventually(
      () => followed.stats(),
      ({ lag }) => lag === 30,
      "the lag is thirty",
    ),
  ).toMatchObject({ matched: 0, owed: 0 });
  await evictDurableObject(followed.door);
  valueOf(await followed.door.resume());
  expect(await followed.settled("thirty are delivered")).toMatchObject({ delivered: 30 });
});

it("[DLV-20] removed it wants nothing, gives nothing and is not revived by a late call", async () => {
  const followed = await Followed.begin("removed");
  valueOf(await followed.door.pause());
  await followed.append(2);
  await followed.door.remove();
  await followed.door.configure(followed.definition);
  expect(
    await followed.door.accept({
      topic: followed.topic,
      partition: 0,
      epoch: makeLife().epoch,
      after: 0,
      through: 1,
      head: 1,
      offsets: [1],
      body: "{}",
    }),
  ).toEqual({ kind: "gone" });
  expect(await followed.door.claim(1)).toEqual({ kind: "nothing" });
  expect(await followed.door.report()).toMatchObject({ ok: false, failure: { code: "subscription_not_found" } });
  expect(await followed.door.resume()).toMatchObject({ ok: false, failure: { code: "subscription_not_found" } });
  expect(await runDurableObjectAlarm(followed.door)).toBe(false);
});

it("[DLV-20] a deleted topic's end is counted, and its next life is followed anew", async () => {
  const followed = await Followed.begin("reborn");
  failing = () => true;
  await followed.append(2);
  await eventually(
    () => followed.stats(),
    ({ owed }) => owed === 2,
    "two are owed",
  );
  await followed.log.retire(makeLife().epoch + 1);
  const stats = await eventually(
    () => followed.stats(),
    ({ owed }) => owed === 0,
    "nothing is owed",
  );
  expect(stats.expired + stats.dead).toBe(2);

  failing = () => false;
  const life = makeLife({ epoch: makeLife().epoch + 2 });
  valueOf(await followed.door.follow([{ topic: followed.topic, partitions: 1, life }]));
  valueOf(await followed.log.append(makeAppend(makeDrafts(1), { life })));
  expect(await followed.settled("the new life's event is delivered")).toMatchObject({ matched: 3, delivered: 1 });
});

it("[DLV-13] an older revision of the definition never replaces a newer one", async () => {
  const followed = await Followed.begin("revised");
  await followed.door.configure({ ...followed.definition, revision: 5, timeoutMs: 5_000 });
  await followed.door.configure({ ...followed.definition, revision: 4, timeoutMs: 4_000 });
  expect(await runInDurableObject(followed.door, (_instance, state) => new Ledger(state).definition?.timeoutMs)).toBe(
    5_000,
  );
});
