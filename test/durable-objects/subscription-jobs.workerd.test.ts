/** Jobs on the ledger's rows: slices, rates, ends, and what two of them at once do to the same dead letters. */
import { beforeEach, describe, expect, it } from "vitest";
import { DEAD_LETTERS_TOPIC } from "../../src/core/dead-letter-event.ts";
import type { Announcement } from "../../src/core/system-event.ts";
import { deliveryKey } from "../../src/core/keys.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { fail, ok, type Result } from "../../src/core/result.ts";
import { Announcer } from "../../src/durable-objects/announcer.ts";
import { runSlice } from "../../src/durable-objects/subscription/job-runner.ts";
import { cancelJob, repair, reportJob } from "../../src/durable-objects/subscription/jobs.ts";
import {
  listDeadLetterGroups,
  listDeadLetters,
  listDeliveries,
} from "../../src/durable-objects/subscription/list-deliveries.ts";
import type { DeadLetterChoice, DeadLetterQuery } from "../../src/core/dead-letter.ts";
import type { JobReport, RepairAnswer } from "../../src/core/job.ts";
import type { WorkerGateRpc } from "../../src/durable-objects/rpc.ts";
import { valueOf } from "../builders/log.ts";
import { buryDirectly, LedgerWorld, REFUSED } from "./ledger-world.ts";

let world: LedgerWorld;
let worlds = 0;

beforeEach(async () => {
  worlds += 1;
  world = new LedgerWorld(`jobs${worlds}`, ["t"]);
  await world.define();
});

const ALL: DeadLetterChoice = { kind: "all" };
const THIRDS: DeadLetterChoice = { kind: "filter", filter: { data: { third: [true] } } };

const begin = (
  choice: DeadLetterChoice,
  ratePerSecond: number | null = null,
  verb: "redrive" | "discard" = "redrive",
): Promise<RepairAnswer> =>
  world.step(async (ledger) => valueOf(await repair(ledger, verb, choice, { dryRun: false, ratePerSecond })));
const slice = (job: number, now = Date.now()): Promise<boolean> =>
  world.step((ledger) => ledger.storage.transactionSync(() => runSlice(ledger, job, now)));
const report = (job: number): Promise<JobReport> => world.step((ledger) => valueOf(reportJob(ledger, job)));
const workOff = async (job: number): Promise<JobReport> => {
  while ((await report(job)).state === "running") await slice(job);
  return report(job);
};

describe("a repair of many", () => {
  it("[DLQ-4] is a job from 1,001 on, which tells how far it is; fewer are moved at once", async () => {
    await world.step((ledger) => buryDirectly(ledger, LIMITS.REPAIR_DELIVERIES_MAX + 1));
    const { matched, job } = await begin(ALL);
    expect([matched, job]).toEqual([1_001, `job_${world.definition.id}_1`]);
    expect(await report(1)).toMatchObject({
      id: job,
      kind: "redrive",
      subscription: "test",
      state: "running",
      done: 0,
    });
    expect(await slice(1)).toBe(true);
    expect(await report(1)).toMatchObject({ state: "running", matched: 1_001, done: 500 });
    expect(await world.stats()).toMatchObject({ dead: 501, owed: 500 });
    const ended = await workOff(1);
    expect(ended).toMatchObject({ state: "done", matched: 1_001, done: 1_001 });
    expect(Date.parse(ended.endedAt!)).toBeGreaterThanOrEqual(Date.parse(ended.createdAt));
    expect(await world.stats()).toMatchObject({ dead: 0, owed: 1_001 });

    await world.step((ledger) => buryDirectly(ledger, 1_000));
    expect(await begin(ALL, null, "discard")).toEqual({ matched: 1_000, job: null });
    expect(await world.stats()).toMatchObject({ dead: 0, discarded: 1_000 });
  });

  it("[DLQ-4] cancelled keeps what it has done and does no more; an ended one stays as it ended", async () => {
    await world.step((ledger) => buryDirectly(ledger, 1_200));
    await begin(ALL, null, "discard");
    await slice(1);
    const cancelled = await world.step((ledger) => valueOf(cancelJob(ledger, 1, Date.now())));
    expect(cancelled).toMatchObject({ kind: "discard", state: "cancelled", done: 500 });
    expect(await slice(1)).toBe(false);
    expect(await world.stats()).toMatchObject({ dead: 700, discarded: 500 });
    await begin(ALL, 1);
    await world.step((ledger) => ledger.jobs.end(2, "done", Date.now()));
    expect(await world.step((ledger) => valueOf(cancelJob(ledger, 2, Date.now())))).toMatchObject({ state: "done" });
  });

  it("[DLQ-7] goes no faster than its rate, and the alarm knows when it goes on", async () => {
    await world.step((ledger) => buryDirectly(ledger, 25));
    await begin(ALL, 10);
    const now = Date.now();
    expect(await slice(1, now)).toBe(false);
    expect(await report(1)).toMatchObject({ done: 10 });
    expect(await world.step((ledger) => [ledger.jobs.nextAt(), ledger.jobs.due(now + 999)])).toEqual([now + 1_000, []]);
    await slice(1, now + 1_000);
    await slice(1, now + 2_000);
    expect(await report(1)).toMatchObject({ state: "done", done: 25 });
  });

  it("[DLQ-5] is due again before long when whoever worked on it is gone", async () => {
    await world.step((ledger) => buryDirectly(ledger, 1_200));
    await begin(ALL);
    const now = Date.now();
    await slice(1, now);
    expect(await world.step((ledger) => ledger.jobs.nextAt())).toBe(now + LIMITS.TELL_AGAIN_MS);
  });

  it("[DLQ-5] goes on where its filter lets nothing of the first pages through, and comes to its end", async () => {
    await world.step((ledger) => buryDirectly(ledger, 45, (n) => JSON.stringify({ n, pad: "x".repeat(300_000) })));
    await begin({ kind: "filter", filter: { n: [44, 45] } }, 10);
    const slices: number[] = [];
    for (let turn = 0; turn < 10 && (await report(1)).state === "running"; turn += 1) {
      await slice(1);
      slices.push((await report(1)).done);
    }
    expect(slices).toEqual([0, 0, 0, 2]);
    expect(await report(1)).toMatchObject({ state: "done", matched: 2, done: 2 });
    expect(await world.stats()).toMatchObject({ dead: 43, owed: 2 });
  });

  it("[DLQ-6] sent twice at once moves each letter once, and none that dies meanwhile", async () => {
    await world.step((ledger) => buryDirectly(ledger, 3_300));
    const [left, right] = [await begin(THIRDS), await begin(THIRDS)];
    expect([left.matched, right.matched]).toEqual([1_100, 1_100]);
    for (let isFirst = true; (await report(2)).state === "running"; isFirst = false) {
      await slice(1);
      await slice(2);
      if (!isFirst) continue;
      await world.pump();
      await world.settleNewest(REFUSED); // Redriven, and dead again before the jobs have ended.
    }
    const [first, second] = [await workOff(1), await report(2)];
    expect(first.done + second.done).toBe(1_100);
    const stats = await world.stats();
    expect(stats.owed).toBeLessThan(1_100);
    expect(stats.owed + stats.dead).toBe(3_300);
  });

  it("[DLQ-10] is refused while ten others are under way; the last hundred that ended are told of", async () => {
    await world.step((ledger) => buryDirectly(ledger, 30));
    for (let made = 0; made < LIMITS.SUBSCRIPTION_JOBS_MAX; made += 1) await begin(ALL, 1);
    const refused = await world.step((ledger) => repair(ledger, "redrive", ALL, { dryRun: false, ratePerSecond: 1 }));
    expect(refused).toMatchObject({ ok: false, failure: { code: "too_many_jobs", limit: 10, actual: 10 } });
    for (let number = 1; number <= 110; number += 1) {
      await world.step((ledger) => ledger.jobs.end(number, "cancelled", Date.now()));
      await begin(ALL, 1);
    }
    const told = await world.step((ledger) =>
      Array.from({ length: 121 }, (_, at) => at).filter((at) => reportJob(ledger, at).ok),
    );
    expect([told[0], told.at(-1), told.length]).toEqual([20, 120, 101]);
    await world.step((ledger) => ledger.jobs.end(115, "done", Date.now()));
    expect((await begin(ALL, 1)).job).toBe(`job_${world.definition.id}_121`);
  });
});

describe("which dead letters", () => {
  const list = async (query: Partial<DeadLetterQuery>, limit = 1_000): Promise<number[]> => {
    const wanted = { filter: null, reason: null, fingerprint: null, ...query };
    const seen: number[] = [];
    let cursor: string | null = null;
    do {
      const page = await world.step((ledger) => listDeadLetters(ledger, cursor, limit, wanted));
      seen.push(...page.items.map(({ offset }) => offset));
      cursor = page.cursor;
    } while (cursor !== null);
    return seen;
  };

  it("[DLQ-2, DLQ-3] a filter, a reason or a fingerprint means is the same for lists and for repairs", async () => {
    await world.step((ledger) => buryDirectly(ledger, 60));
    const { filter } = THIRDS as Extract<DeadLetterChoice, { kind: "filter" }>;
    expect(await list({ filter }, 7)).toEqual(Array.from({ length: 20 }, (_, at) => 3 * (at + 1)));
    const { items } = await world.step((ledger) => listDeadLetterGroups(ledger, null, 10));
    const even = items.find(({ excerpt }) => excerpt === "even <n>")!;
    expect(await list({ fingerprint: even.fingerprint, filter })).toEqual([6, 12, 18, 24, 30, 36, 42, 48, 54, 60]);
    expect(await list({ reason: "refused_permanently" }, 10)).toHaveLength(60);
    expect(await list({ reason: "attempts_exhausted" })).toEqual([]);

    const choice: DeadLetterChoice = { kind: "fingerprint", fingerprint: even.fingerprint };
    const counted = await world.step((ledger) =>
      repair(ledger, "discard", choice, { dryRun: true, ratePerSecond: null }),
    );
    expect(valueOf(counted)).toEqual({ matched: 30, job: null });
    expect(await begin(choice, null, "discard")).toEqual({ matched: 30, job: null });
    expect(await list({ fingerprint: even.fingerprint })).toEqual([]);
    expect(await begin(THIRDS)).toEqual({ matched: 10, job: null });
    expect(await list({ filter })).toEqual([]);
    expect(await world.stats()).toMatchObject({ dead: 20, owed: 10, discarded: 30 });
  });

  it("[DLQ-1] groups tell each error with its count, its first and its last death, page by page", async () => {
    await world.step((ledger) => buryDirectly(ledger, 7));
    const page = await world.step((ledger) => listDeadLetterGroups(ledger, null, 1));
    const rest = await world.step((ledger) => listDeadLetterGroups(ledger, page.cursor, 5));
    const groups = [...page.items, ...rest.items].toSorted((left, right) => left.count - right.count);
    expect(groups).toMatchObject([
      { reason: "refused_permanently", status: 422, error: null, excerpt: "even <n>", count: 3 },
      { reason: "refused_permanently", status: 422, error: null, excerpt: "odd <n>", count: 4 },
    ]);
    expect(groups[1]).toMatchObject({
      firstDiedAt: new Date(1_001).toISOString(),
      lastDiedAt: new Date(1_007).toISOString(),
    });
    expect(rest.cursor).toBeNull();
  });

  it("[DLQ-1] are told apart where no attempts are kept, too", async () => {
    await world.define({ attempts: "none" });
    await world.push(3);
    const by = await world.claimed(1);
    const refused = { kind: "refused", status: 400, retryAfterMs: null } as const;
    const excerpts = ["full", "no shelf 7", "no shelf 8"];
    await world.settle(
      1,
      by,
      excerpts.map((excerpt) => ({ ...refused, excerpt })),
    );
    const { items } = await world.step((ledger) => listDeadLetterGroups(ledger, null, 10));
    expect(items.map(({ count }) => count).toSorted()).toEqual([1, 2]);
    expect((await world.step((ledger) => listDeadLetters(ledger, null, 10))).items[0]).toMatchObject({ attempts: [] });
  });

  it("[DLQ-2] a page ends after 4 MB of payload looked at, found or not, and the next goes on", async () => {
    await world.step((ledger) => buryDirectly(ledger, 30, (n) => JSON.stringify({ n, pad: "x".repeat(300_000) })));
    const query = { filter: { n: [30] }, reason: null, fingerprint: null };
    const first = await world.step((ledger) => listDeadLetters(ledger, null, 10, query));
    expect(first.items).toEqual([]);
    expect(first.cursor).not.toBeNull();
    expect(await list({ filter: { n: [30] } })).toEqual([30]);
  });

  it("[DLQ-8] came back how often, and what happened in all their lives", async () => {
    await world.bury(1);
    for (const redrives of [0, 1, 2]) {
      const { items } = await world.step((ledger) => listDeadLetters(ledger, null, 10));
      expect(items).toMatchObject([{ redrives }]);
      expect(items[0]!.attempts).toHaveLength(redrives + 1);
      await world.redriveAll();
      const owed = await world.step((ledger) => listDeliveries(ledger, "owed", null, 10));
      expect(owed.items).toMatchObject([{ redrives: redrives + 1, attempts: items[0]!.attempts }]);
      await world.pump();
      expect((await world.step((ledger) => listDeliveries(ledger, "owed", null, 10))).items).toEqual([
        { ...owed.items[0]!, nextAttemptAt: null },
      ]);
      await world.settleNewest(REFUSED);
    }
  });
});

describe("the topic of dead letters", () => {
  it("[DLQ-11] is told in order by whoever comes after a failure; what died stays dead meanwhile", async () => {
    await world.bury(3);
    const tell = (answer: () => Promise<Result<null>>): Promise<string[]> =>
      world.step(async (ledger) => {
        const heard: string[] = [];
        const gate = {
          announceSystem: (_app: string, _topic: string, rows: readonly Announcement[]) => {
            heard.push(...rows.map(({ full }) => (JSON.parse(full) as { id: string }).id));
            return answer();
          },
        };
        const { app, announcements } = ledger;
        const outbox = { app, topic: DEAD_LETTERS_TOPIC, announcements, teller: "tests" };
        await new Announcer(outbox, () => gate as unknown as WorkerGateRpc).run();
        return heard;
      });
    const ids = [1, 2, 3].map((offset) => `${deliveryKey(world.definition.id, 1, offset)}_1`);
    expect(await tell(() => Promise.reject(new Error("not now")))).toEqual(ids);
    expect(await tell(async () => fail("hub_overloaded"))).toEqual(ids);
    expect(await world.stats()).toMatchObject({ dead: 3 });
    expect(await tell(async () => ok(null))).toEqual(ids);
    expect(await tell(async () => ok(null))).toEqual([]);
    expect(await world.step((ledger) => ledger.announcements.isEmpty())).toBe(true);
  });
});
