/** A batch from inside: what time does to it. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeAll, describe, expect, it } from "vitest";
import {
  NESTED_TYPE,
  nestedBatchId,
  nestedDraft,
  type BatchDefinition,
  type NewBatchJob,
} from "../../src/core/job-batch.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { BatchesStore } from "../../src/store/batches-store.ts";
import { batch } from "../../src/stubs.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

const APP = "app_batches";

beforeAll(() => migrateDatabase());

const definitionOf = (id: string): BatchDefinition => ({
  app: APP,
  id,
  name: null,
  mode: "parallel",
  allowFailures: false,
  topic: "jobs",
  eventTopic: "jobs",
  subscription: null,
  tells: {},
  traceparent: null,
  createdAt: Date.now(),
});

const idOf = (moment: string): string => `batch_${moment.padStart(32, "0")}_workers`;

const TWO: readonly NewBatchJob[] = [
  { type: "a", draft: `{"type":"a"}` },
  { type: "b", draft: `{"type":"b"}` },
];

async function made(moment: string, jobs = TWO) {
  const id = idOf(moment);
  await env.DB.prepare(
    `INSERT OR IGNORE INTO apps (id, name, origins, quotas, created_at) VALUES (?1, ?1, NULL, '{}', 0)`,
  )
    .bind(APP)
    .run();
  const stub = batch(env, APP, id);
  await stub.create(definitionOf(id), jobs);
  return stub;
}

/** So long ago its rows say what they say of times; its alarm then comes as it would. */
async function age(stub: Awaited<ReturnType<typeof made>>, ms: number): Promise<void> {
  await runInDurableObject(stub, (_object, { storage }) => {
    const read = (name: string): unknown =>
      JSON.parse(storage.sql.exec<{ value: string }>(`SELECT value FROM meta WHERE name = ?1`, name).one().value);
    const write = (name: string, value: unknown): void => {
      storage.sql.exec(`UPDATE meta SET value = ?2 WHERE name = ?1`, name, JSON.stringify(value));
    };
    write("movedAt", (read("movedAt") as number) - ms);
    const progress = read("progress") as { endedAt: number | null };
    if (progress.endedAt !== null) write("progress", { ...progress, endedAt: progress.endedAt - ms });
  });
}

const stateOf = async (stub: Awaited<ReturnType<typeof made>>): Promise<unknown> => {
  const report = await stub.report();
  return report.ok ? [report.value.progress.state, report.value.progress.failed] : report.failure.code;
};

/** Its runs owe nothing any more. */
const settled = async (stub: Awaited<ReturnType<typeof made>>): Promise<void> => {
  while (!(await runInDurableObject(stub, (_object, { storage }) => isIdle(storage)))) await scheduler.wait(10);
};

function isIdle({ sql }: DurableObjectStorage): boolean {
  const facts = new Map(
    sql
      .exec<{ name: string; value: string }>(`SELECT name, value FROM meta`)
      .toArray()
      .map(({ name, value }) => [name, JSON.parse(value) as never]),
  );
  const published = facts.get("published") as { through: number } | undefined;
  const progress = facts.get("progress") as { state: string } | undefined;
  return progress === undefined || (published!.through === 1 && facts.get("listed") === progress.state);
}

describe("[BAT-12] a batch and time", () => {
  it("ends when nothing has ended for as long as may be, and what was open has failed", async () => {
    const stub = await made("1");
    await settled(stub);
    await age(stub, LIMITS.BATCH_IDLE_MS_MAX - 60_000);
    await stub.endJob(0, "completed", null);
    await age(stub, 60_000); // It was made as long ago as it may stand still, and has not stood still since.
    await runDurableObjectAlarm(stub);
    expect(await stateOf(stub)).toEqual(["running", 0]);
    await age(stub, LIMITS.BATCH_IDLE_MS_MAX - 120_000);
    await runDurableObjectAlarm(stub);
    expect(await stateOf(stub)).toEqual(["running", 0]);
    await age(stub, 60_000);
    await runDurableObjectAlarm(stub);
    expect(await stateOf(stub)).toEqual(["failed", 1]);
    const jobs = await stub.jobs("failed", -1, 10);
    expect(jobs).toMatchObject({ ok: true, value: [{ index: 1, reason: "lapsed" }] });
  });

  it("leaves nothing behind when its end is long ago", async () => {
    const stub = await made("2");
    await env.DB.prepare(
      `INSERT INTO batches (app, id, name, topic, state, created_at) VALUES (?1, ?2, NULL, 'jobs', 'running', 0)`,
    )
      .bind(APP, idOf("2"))
      .run();
    const isListed = async (): Promise<boolean> =>
      (await env.DB.prepare(`SELECT 1 FROM batches WHERE id = ?1`).bind(idOf("2")).first()) !== null;
    await settled(stub);
    await stub.settle([0, 1].map((index) => ({ index, run: 1, outcome: "completed", reason: null })));
    await settled(stub);
    await age(stub, LIMITS.BATCH_KEEP_MS - 60_000);
    await runDurableObjectAlarm(stub);
    expect([await stateOf(stub), await isListed()]).toEqual([["finished", 0], true]);
    await age(stub, 60_000);
    await runDurableObjectAlarm(stub);
    expect([await stateOf(stub), await isListed()]).toEqual(["batch_not_found", false]);
    expect(await stub.mayStart()).toBe(true);
  });
});

it("[BAT-11] is listed by its own word where who asked for it did not live to say so", async () => {
  const batches = new BatchesStore(env.DB);
  await batches.add({ app: APP, id: idOf("6"), name: null, topic: "jobs", createdAt: Date.now() });
  expect(await batches.list(APP, "", 10)).toEqual([]);
  await settled(await made("6"));
  expect(await batches.list(APP, "", 10)).toMatchObject([{ id: idOf("6"), state: "running" }]);
});

describe("[BAT-8] jobs that are added", () => {
  it("are added once for each request, and not above the limit", async () => {
    const stub = await made("3");
    const more = [{ type: "c", draft: `{"type":"c"}` }];
    expect(await stub.add(more, "request")).toMatchObject({ ok: true, value: { progress: { total: 3 } } });
    expect(await stub.add(more, "request")).toMatchObject({ ok: true, value: { progress: { total: 3 } } });
    expect(await stub.add(more, null)).toMatchObject({ ok: true, value: { progress: { total: 4 } } });
    const many = Array.from({ length: LIMITS.BATCH_JOBS_MAX - 3 }, () => more[0]!);
    expect(await stub.add(many, null)).toMatchObject({ ok: false, failure: { code: "body_too_large" } });
  });

  it("are refused again when a refused request comes again", async () => {
    const stub = await made("4");
    const many = Array.from({ length: LIMITS.BATCH_JOBS_MAX }, () => ({ type: "c", draft: `{"type":"c"}` }));
    const refusal = { ok: false, failure: { code: "body_too_large" } };
    expect(await stub.add(many, "request")).toMatchObject(refusal);
    expect(await stub.add(many, "request")).toMatchObject(refusal);
  });
});

describe("[BAT-14] batches inside one that is cancelled while they begin", () => {
  it("end with it, and none begins any more", async () => {
    const nested = nestedDraft({ mode: "parallel", allowFailures: false, name: null, tells: {}, jobs: TWO });
    const jobs = Array.from({ length: 20 }, () => ({ type: NESTED_TYPE, draft: nested }));
    const stub = await made("5", jobs);
    await stub.cancel();
    const isListed = ({ sql }: DurableObjectStorage): boolean =>
      sql.exec(`SELECT 1 FROM meta WHERE name = 'listed' AND value = '"cancelled"'`).toArray().length > 0;
    while (!(await runInDurableObject(stub, (_object, { storage }) => isListed(storage)))) await scheduler.wait(10);
    const inside = jobs.map((_, index) => stateOf(batch(env, APP, nestedBatchId(idOf("5"), index))));
    const states = new Set((await Promise.all(inside)).map((state) => [state].flat()[0]));
    expect(["batch_not_found", "cancelled"]).toEqual(expect.arrayContaining([...states]));
  });
});
