/** Replays on the ledger's rows: what comes again, in which mode, how far, and what two at once do. */
import { beforeEach, describe, expect, it } from "vitest";
import type { Position } from "../../src/core/position.ts";
import type { ReplayAnswer, ReplayAsk, ReplayMode } from "../../src/core/replay.ts";
import type { JobReport } from "../../src/core/job.ts";
import type { Result } from "../../src/core/result.ts";
import { configure } from "../../src/durable-objects/subscription/configure.ts";
import { repairDeadLetters } from "../../src/durable-objects/subscription/dead-letters.ts";
import { runSlice } from "../../src/durable-objects/subscription/job-runner.ts";
import { cancelJob, reportJob } from "../../src/durable-objects/subscription/jobs.ts";
import { skipParked } from "../../src/durable-objects/subscription/parked.ts";
import { Puller } from "../../src/durable-objects/subscription/pull-take.ts";
import { replay } from "../../src/durable-objects/subscription/replay.ts";
import { seek } from "../../src/durable-objects/subscription/seek.ts";
import type { ClaimedDelivery } from "../../src/durable-objects/rpc.ts";
import { valueOf } from "../builders/log.ts";
import { ACCEPTED, EPOCH, FAILED, LedgerWorld, REFUSED } from "./ledger-world.ts";

let world: LedgerWorld;
let worlds = 0;

const begin = async (more: ConstructorParameters<typeof LedgerWorld>[2] = {}): Promise<void> => {
  worlds += 1;
  world = new LedgerWorld(`replayed${worlds}`, more.topics ?? ["t"], more);
  await world.define();
};

beforeEach(() => begin());

const at = (offset: number): Position => ({ kind: "offset", offset });
const ask = (mode: ReplayMode, more: Partial<ReplayAsk> = {}): Promise<Result<ReplayAnswer>> =>
  world.step((ledger) =>
    replay(ledger, world.env, {
      mode,
      from: { kind: "earliest" },
      to: { kind: "latest" },
      topic: null,
      partition: null,
      filter: null,
      dryRun: false,
      ratePerSecond: null,
      lastJob: null,
      ...more,
    }),
  );
const report = (job = 1): Promise<JobReport> => world.step((ledger) => valueOf(reportJob(ledger, job)));
const goTo = (offset: number): Promise<unknown> =>
  world.step((ledger) => seek(ledger, world.env, { to: at(offset), topic: null, partition: null, dryRun: false }));

/** Everything that can be claimed is, and accepted, until nothing is owed; answers it. */
async function deliverAll(): Promise<ClaimedDelivery[]> {
  const delivered: ClaimedDelivery[] = [];
  for (let turn = 0; turn < 50; turn += 1) {
    await world.pump();
    const ids = await world.step((ledger) => ledger.dispatches.all().map(({ id }) => id));
    for (const id of ids) {
      const by = await world.claim(id);
      if (by.kind !== "claimed") continue;
      await world.settle(
        id,
        by,
        by.deliveries.map(() => ACCEPTED),
      );
      delivered.push(...by.deliveries);
    }
    if (ids.length === 0) break;
  }
  return delivered;
}
const offsetsOf = (deliveries: readonly ClaimedDelivery[]): number[] => deliveries.map(({ offset }) => offset);

describe("a replay that is long over", () => {
  const rows = () => world.step((ledger) => ledger.sources.all().map(({ id, replay: job }) => [id, job]));
  /** So long ago every job ended. */
  const age = () => world.step(({ storage }) => void storage.sql.exec(`UPDATE jobs SET ended_at = ended_at - 3600000`));

  it("[RPL-10] leaves no row behind but its counts, once nothing of it is owed, kept or under way", async () => {
    await world.push(4);
    await deliverAll();
    for (let job = 1; job <= 3; job += 1) {
      valueOf(await ask("force", { from: at(1), to: at(1 + job) }));
      await deliverAll();
      await age();
    }
    expect(await rows()).toEqual([
      [1, 0],
      [3, 2],
      [4, 3],
    ]);
    expect(await report(1)).toMatchObject({ state: "done", matched: 1, done: 1, replayed: 1 });
    expect(await report(2)).toMatchObject({ state: "done", matched: 2, done: 2, replayed: 2 });
    expect(await world.stats()).toMatchObject({ matched: 10, delivered: 10, owed: 0 });
    valueOf(await ask("force"));
    const ids = (await deliverAll()).map(({ id }) => id);
    expect(ids.every((id) => id.includes("_5_"))).toBe(true); // No number is given twice.
    expect((await rows()).map(([id]) => id)).toEqual([1, 4, 5]);
  });

  it("[RPL-10] keeps its row for its dead letters, for what is under way, and for who came at once with it", async () => {
    await world.push(5);
    await deliverAll();
    const lastJob = await world.step((ledger) => ledger.jobs.lastNumber());
    const only = (offset: number, more: Partial<ReplayAsk> = {}) =>
      ask("force", { from: at(offset), to: at(offset + 1), ...more });
    valueOf(await only(1));
    await world.pump();
    await world.settleNewest(REFUSED);
    valueOf(await only(2));
    await world.pump();
    const { dispatch } = world.sent.at(-1)!;
    const underWay = await world.claimed(dispatch);
    await age();
    for (const offset of [3, 4]) {
      valueOf(await only(offset));
      await world.pump();
      await world.settleNewest(ACCEPTED);
    }
    valueOf(await only(5));
    expect(await rows()).toHaveLength(6);
    expect(await only(3, { lastJob })).toMatchObject({ ok: false, failure: { code: "replay_under_way" } });
    await world.settle(dispatch, underWay, [ACCEPTED]);
    await world.discardAll();
    await deliverAll();
    await age();
    valueOf(await only(1));
    expect(await rows()).toEqual([
      [1, 0],
      [6, 5],
      [7, 6],
    ]);
    await deliverAll();
    expect(await world.stats()).toMatchObject({ matched: 11, delivered: 10, discarded: 1, owed: 0 });
  });
});

describe("a replay by force", () => {
  it("[RPL-5] brings each event of the range once more, as a redrive with an id of its own", async () => {
    await world.push(6);
    const first = await deliverAll();
    const answer = valueOf(await ask("force", { from: at(2), to: at(5) }));
    const partitions = [{ topic: "t", partition: 0, from: 2, to: 5 }];
    expect(answer).toMatchObject({ matched: 3, job: `job_${world.definition.id}_1`, partitions });
    const again = await deliverAll();
    expect(again.map(({ offset, redrive }) => [offset, redrive])).toEqual([
      [2, true],
      [3, true],
      [4, true],
    ]);
    expect(new Set([...first, ...again].map(({ id }) => id)).size).toBe(9);
    expect(await report()).toMatchObject({ kind: "replay", state: "done", matched: 3, done: 3, replayed: 3 });
    expect(await world.stats()).toMatchObject({ matched: 9, delivered: 9, owed: 0, lag: 0 });
    await world.push(1);
    expect(offsetsOf(await deliverAll())).toEqual([7]);
  });

  it("[RPL-5] ends where the subscription has come to, and does not pass what is new", async () => {
    await begin({ maxInFlight: 2 });
    await world.push(4, 2);
    expect(valueOf(await ask("force")).matched).toBe(2);
    expect(offsetsOf(await deliverAll())).toEqual([1, 2, 3, 4, 1, 2]);
    expect(valueOf(await ask("force", { from: at(4), to: at(4) }))).toMatchObject({ matched: 0, job: null });
  });

  it("[RPL-5] gives way to topics that are followed since, too", async () => {
    await begin({ topics: ["t", "u"], maxInFlight: 2 });
    await world.push(4);
    await deliverAll();
    valueOf(await ask("force"));
    world.log("u").head = 4;
    await world.accept(world.log("u").push(0));
    const topics = (await deliverAll()).map(({ topic }) => topic);
    expect(topics.join("")).toBe("uuuutttt");
  });

  it("[RPL-5] comes to pull workers as redrives", async () => {
    await begin({ target: { kind: "pull" } });
    world.log("t").head = 3;
    await world.accept(world.log("t").push());
    const pull = (): Promise<[id: string, redrive: boolean][]> =>
      world.step(async (ledger) => {
        const ask = { revision: 1, max: 10, leaseMs: 30_000 };
        const { deliveries } = valueOf(await new Puller(ledger, world.env).pull(ask));
        return deliveries.map(({ id, redrive }) => [id, redrive]);
      });
    expect((await pull()).map(([, redrive]) => redrive)).toEqual([false, false, false]);
    valueOf(await ask("force", { from: at(2) }));
    expect(await pull()).toEqual([2, 3].map((n) => [`msg_${world.definition.id}_2_${n}`, true]));
    expect(await pull()).toEqual([]);
    expect(await report()).toMatchObject({ state: "done", replayed: 2 });
  });

  it("[RPL-5] obeys both filters, and the subscription's order among itself", async () => {
    await begin({ ordering: "key", filter: { type: ["odd"] } });
    await world.push(20);
    await deliverAll();
    valueOf(await ask("force", { filter: { data: { third: [true] } } }));
    expect(offsetsOf(await deliverAll()).toSorted((left, right) => left - right)).toEqual([3, 9, 15]);
    expect(await report()).toMatchObject({ state: "done", matched: 20, done: 20, replayed: 3 });

    await begin({ ordering: "strict" });
    await world.push(3);
    await deliverAll();
    valueOf(await ask("force"));
    await world.pump();
    const { dispatch } = world.sent.at(-1)!;
    await world.settle(dispatch, await world.claimed(dispatch), [FAILED]);
    expect(await world.stats()).toMatchObject({ owed: 3 });
    expect(offsetsOf(await deliverAll())).toEqual([1, 2, 3]);
  });

  it("[RPL-6] cancelled, or over because its topic is, it looks no further; what it owes stays owed", async () => {
    await begin({ maxInFlight: 4 });
    await world.push(10);
    await deliverAll();
    valueOf(await ask("force"));
    await world.pump();
    await world.step((ledger) => valueOf(cancelJob(ledger, 1, Date.now())));
    expect(await report()).toMatchObject({ state: "cancelled", done: 4, replayed: 4 });
    expect(offsetsOf(await deliverAll())).toEqual([1, 2, 3, 4]);

    valueOf(await ask("force"));
    await world.pump();
    world.log("t").epoch = EPOCH + 1;
    await world.accept({ ...world.log("t").push(0), epoch: EPOCH + 1 });
    expect(await report(2)).toMatchObject({ state: "done", done: 4 });
    expect(await world.stats()).toMatchObject({ expired: 4, owed: 0 });
  });

  it("[RPL-6] is cancelled when its topic is followed no more", async () => {
    await begin({ maxInFlight: 4 });
    await world.push(10);
    await deliverAll();
    valueOf(await ask("force"));
    await world.pump();
    await world.step((ledger) => configure(ledger, world.env, { ...world.definition, revision: 2, topics: ["other"] }));
    expect(await report()).toMatchObject({ state: "cancelled", done: 4 });
    expect(offsetsOf(await deliverAll())).toEqual([1, 2, 3, 4]);
  });

  it("[RPL-6] goes no faster than its rate, over partitions too", async () => {
    await begin({ topics: ["t", "u"] });
    for (const topic of ["t", "u"]) {
      world.log(topic).head = 5;
      await world.accept(world.log(topic).push());
    }
    await deliverAll();
    const started = Date.now();
    valueOf(await ask("force", { ratePerSecond: 3 }));
    const seen: number[] = [];
    for (let second = 0; second < 4; second += 1) {
      seen.push((await deliverAll()).length);
      const due = await world.step((ledger) => ledger.jobs.nextAt());
      if (due !== null) expect(due).toBeGreaterThanOrEqual(started + 1_000);
      await world.step((ledger) => ledger.storage.transactionSync(() => runSlice(ledger, 1, Date.now())));
    }
    expect(seen).toEqual([3, 2, 3, 2]);
    expect(await report()).toMatchObject({ state: "done", done: 10, replayed: 10 });
  });

  it("[RPL-6] what retention has taken is no part of it, before it begins and while it goes on", async () => {
    await begin({ maxInFlight: 2 });
    await world.push(10);
    await deliverAll();
    world.log("t").firstHeld = 3;
    expect(valueOf(await ask("force")).matched).toBe(8);
    await world.pump();
    world.log("t").firstHeld = 9;
    const again = await deliverAll();
    expect(offsetsOf(again)).toEqual([3, 4, 9, 10]);
    expect(await report()).toMatchObject({ state: "done", done: 8, replayed: 4 });
    expect(await world.stats()).toMatchObject({ matched: 14, delivered: 14, expired: 0 });
  });

  it("[RPL-5] goes out by batches as all else does", async () => {
    await begin({ batch: { maxEvents: 4, maxBytes: 10_000, maxWaitMs: 0 } });
    await world.push(9);
    await deliverAll();
    const before = world.sent.length;
    valueOf(await ask("force", { from: at(3) }));
    expect(offsetsOf(await deliverAll())).toEqual([3, 4, 5, 6, 7, 8, 9]);
    expect(world.sent.slice(before).map(({ events }) => events.length)).toEqual([4, 3]);
  });
});

describe("two replays", () => {
  it("[RPL-9] of the same events: the second is refused while the first goes on, owes, or was begun meanwhile", async () => {
    await world.push(6);
    await deliverAll();
    const known = valueOf(await ask("force", { dryRun: true })).lastJob;
    expect(await world.stats()).toMatchObject({ matched: 6 });
    valueOf(await ask("force", { to: at(5), lastJob: known }));
    const underWay = { ok: false, failure: { code: "replay_under_way" } };
    expect(await ask("force", { from: at(4) })).toMatchObject(underWay);
    expect(valueOf(await ask("force", { from: at(5) })).matched).toBe(2);
    await world.pump();
    expect((await report()).state).toBe("done");
    expect(await ask("force", { from: at(4), to: at(5) })).toMatchObject(underWay);
    const by = await world.claimed(world.sent.at(-2)!.dispatch);
    await world.settle(
      world.sent.at(-2)!.dispatch,
      by,
      by.deliveries.map(() => FAILED),
    );
    expect(await ask("force", { from: at(4), to: at(5) })).toMatchObject(underWay);
    await deliverAll();
    expect(await ask("force", { lastJob: known })).toMatchObject(underWay);
    expect(valueOf(await ask("force")).matched).toBe(6);
  });
});

describe("a replay of what failed", () => {
  it("[RPL-7] redrives the dead letters of the range, under their ids, however often it is sent", async () => {
    await world.bury(6);
    const range = { from: at(2), to: at(5), filter: { type: ["even"] } } as const;
    expect(valueOf(await ask("failed", { ...range, dryRun: true })).matched).toBe(2);
    expect(valueOf(await ask("failed", range))).toMatchObject({ matched: 2, job: `job_${world.definition.id}_1` });
    valueOf(await ask("failed", range));
    for (const job of [1, 2]) await world.step((ledger) => runSlice(ledger, job, Date.now()));
    expect([(await report(1)).done, (await report(2)).done]).toEqual([2, 0]);
    expect(await world.stats()).toMatchObject({ matched: 6, dead: 4, owed: 2 });
    const again = await deliverAll();
    expect(again.map(({ id }) => id)).toEqual([2, 4].map((n) => `msg_${world.definition.id}_1_${n}`));
  });
});

describe("a replay of what is missing", () => {
  const missing = async (more: Partial<ReplayAsk> = {}): Promise<number[]> => {
    valueOf(await ask("missing", more));
    return offsetsOf(await deliverAll());
  };

  it("[RPL-8] brings what was skipped, discarded, or lay before the start, and each once", async () => {
    const log = world.log("t");
    [log.head, log.told] = [3, 3];
    await world.push(3); // 4 to 6; it has begun behind 3.
    await world.settle(1, await world.claimed(1), [FAILED, REFUSED, ACCEPTED]);
    await world.step((ledger) => skipParked(ledger, `msg_${world.definition.id}_1_4`));
    await world.discardAll();
    log.head = 12;
    await goTo(10);
    expect(offsetsOf(await deliverAll())).toEqual([10, 11, 12]);
    expect(valueOf(await ask("missing", { dryRun: true })).matched).toBe(8);
    expect(await missing({ from: at(2), to: at(9), filter: { type: ["even"] } })).toEqual([2, 4, 8]);
    expect(await report()).toMatchObject({ state: "done", matched: 6, done: 6, replayed: 3 });
    expect(await missing({ to: at(9) })).toEqual([1, 3, 5, 7]);
    expect(await report(2)).toMatchObject({ state: "done", matched: 4, done: 4, replayed: 4 });
    expect(await missing()).toEqual([9]);
    expect(valueOf(await ask("missing"))).toMatchObject({ matched: 0, job: null });
    expect(await world.stats()).toMatchObject({ matched: 17, delivered: 12, skipped: 4, discarded: 1 });
  });

  it("[RPL-8] is none of what a seek has had examined again, given up before it or after", async () => {
    await world.bury(4);
    const discard = (ids: readonly string[]) =>
      world.step((ledger) => repairDeadLetters(ledger, "discard", { kind: "ids", ids }, Date.now()));
    await discard([`msg_${world.definition.id}_1_4`]);
    await goTo(3);
    expect(offsetsOf(await deliverAll())).toEqual([3, 4]);
    expect(await world.discardAll()).toBe(3);
    expect(await missing()).toEqual([1, 2]);
  });

  it("[RPL-8] given up again it is missing again", async () => {
    await world.bury(4);
    await world.discardAll();
    await goTo(3);
    valueOf(await ask("missing"));
    await world.pump();
    for (const { id } of await world.step((ledger) => ledger.dispatches.all()))
      await world.settle(id, await world.claimed(id), [REFUSED, REFUSED]);
    expect(await world.stats()).toMatchObject({ matched: 8, dead: 4, discarded: 4 });
    await world.discardAll();
    expect(await missing()).toEqual([1, 2, 3, 4]);
  });

  it("[RPL-8] where it was not written down, it is refused and says from where on it was", async () => {
    await world.push(4);
    await deliverAll();
    await world.step((ledger) => ledger.replays.forgetBefore(ledger.sources.get(1)!, 3));
    const refused = await ask("missing");
    expect(refused).toMatchObject({ ok: false, failure: { code: "replay_unknown" } });
    expect(JSON.stringify(refused)).toContain("from offset 3 on");
    expect((await ask("missing", { from: at(3) })).ok).toBe(true);
  });
});
