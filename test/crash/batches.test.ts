/**
 * Goal: a batch's books are exact, whatever comes twice and whatever is killed.
 * Method: 1,000 jobs in parallel, every twentieth failing; every fiftieth is accepted and its answer lost, so that it
 * comes again; the runtime is killed with -9 half way; in the end some of them are replayed.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  batchOf,
  jobs,
  jobsOf,
  makeBatch,
  newsOf,
  overOf,
  TELLS,
  typesOf,
  type SeenBatch,
} from "../builders/batches.ts";
import { canReadProcesses } from "../harness/proc.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

const JOBS = 1_000;
const FAILING = JOBS / 20;
/** That are replayed. */
const AGAIN = 200;
const KEY = { "idempotency-key": "a thousand" };

describe.skipIf(!canReadProcesses)("a batch of 1,000 jobs, 5 % of them failing, through a kill -9", () => {
  const persistTo = mkdtempSync(join(tmpdir(), "tidings-batches-"));
  let hub: Hub;
  let sink: Sink;
  let over: SeenBatch;
  let news: readonly WireEvent[];
  const samples: SeenBatch[] = [];

  beforeAll(async () => {
    hub = await startHub({ persistTo });
    sink = await Sink.open(({ event, attempt }) => {
      const { n } = event.data as { n: number };
      if (n % 20 === 7) return 422;
      return n % 50 === 1 && attempt === 1 ? { reset: true } : 204;
    });
    const target = { kind: "webhook", url: sink.url };
    const retry = { maxAttempts: 5, schedule: ["100ms"] };
    await hub.json("PUT", "/v1/subscriptions/work", { topics: ["jobs"], target, retry, timeout: "2s" });
    const definition = { mode: "parallel", allowFailures: true, jobs: jobs(JOBS), eventTopic: "news", ...TELLS };
    const { id } = await makeBatch(hub, definition, KEY);
    await sink.until(({ deliveries }) => deliveries.length > JOBS / 3, "a third has come");
    await hub.killRuntime();
    expect((await makeBatch(hub, definition, KEY)).id).toBe(id);
    over = await eventually(
      async () => {
        const seen = await batchOf(hub, id);
        samples.push(seen);
        return seen;
      },
      ({ state }) => state !== "running",
      "it is over",
      60_000,
    );
    news = await newsOf(hub, "news", id);
  }, 120_000);
  afterAll(async () => {
    await hub.close();
    await sink.close();
    rmSync(persistTo, { recursive: true, force: true });
  });

  it("[BAT-10] counts every job once", async () => {
    expect(over).toMatchObject({ state: "finished", total: JOBS, completed: JOBS - FAILING, failed: FAILING, open: 0 });
    const failed = await jobsOf(hub, over.id, "&state=failed");
    expect(failed.map(({ index }) => index)).toEqual(Array.from({ length: FAILING }, (_, at) => at * 20 + 7));
    expect((await hub.readAll("jobs")).length).toBe(JOBS);
    // What was to come twice did, or the run would prove nothing.
    expect(sink.deliveries.length).toBeGreaterThanOrEqual(JOBS + JOBS / 50);
  });

  it("[BAT-10] tells then, catch and finally once each, and progress once for each job, never going back", () => {
    const types = typesOf(news);
    for (const type of [TELLS.then, TELLS.catch, TELLS.finally])
      expect(types.filter((one) => one === type).length).toBe(1);
    const steps = news.filter(({ type }) => type === TELLS.progress).map(({ data }) => data as SeenBatch);
    expect(steps.map(({ completed, failed }) => completed + failed)).toEqual(
      Array.from({ length: JOBS }, (_, at) => at + 1),
    );
    for (const [at, step] of steps.entries()) {
      const before = steps[at - 1] ?? { completed: 0, failed: 0, percent: 0 };
      expect(step.completed >= before.completed && step.failed >= before.failed && step.percent >= before.percent).toBe(
        true,
      );
    }
    expect(steps.at(-1)).toMatchObject({ completed: JOBS - FAILING, failed: FAILING, total: JOBS, percent: 100 });
    const isRising = samples.every(({ completed }, at) => completed >= (samples[at - 1]?.completed ?? 0));
    expect(isRising).toBe(true);
  });

  it("[BAT-10] counts nothing anew when its jobs are delivered again", async () => {
    const came = sink.deliveries.length;
    const body = { mode: "force", from: "earliest", to: `offset:${AGAIN + 1}` };
    expect((await hub.json("POST", "/v1/subscriptions/work/replay", body)).status).toBe(202);
    await sink.until(({ deliveries }) => deliveries.length >= came + AGAIN, "they have come again");
    await eventually(
      () => hub.json<{ stats: Record<string, number> }>("GET", "/v1/subscriptions/work"),
      ({ body: { stats } }) => stats["owed"] === 0,
      "all are settled",
    );
    expect(await overOf(hub, over.id)).toEqual(over);
    expect(await newsOf(hub, "news", over.id)).toEqual(news);
  });
});
