/** Batches of jobs over HTTP: chains, parallel ones, what they tell of themselves, and what becomes of failures. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  actOn,
  batchOf,
  fatesOf,
  jobs,
  jobsOf,
  makeBatch,
  newsOf,
  overOf,
  TELLS,
  typesOf,
} from "../builders/batches.ts";
import { PullWorker, type Pulled } from "../builders/pull-worker.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { Sink, type ReceivedDelivery, type SinkRule } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;
const sinks: Sink[] = [];

beforeAll(async () => {
  hub = await startHub();
});
afterAll(async () => {
  await hub.close();
  for (const sink of sinks) await sink.close();
});

const numberOf = ({ event }: Pick<ReceivedDelivery, "event">): number => (event.data as { n: number }).n;

/** A topic of jobs with a webhook that works on them, and a topic for what batches tell. */
async function workshop(name: string, rule: SinkRule, more: object = {}): Promise<Sink> {
  const sink = await Sink.open(rule);
  sinks.push(sink);
  const target = { kind: "webhook", url: sink.url };
  const retry = { maxAttempts: 1 };
  const made = await hub.json("PUT", `/v1/subscriptions/${name}`, { topics: [name], target, retry, ...more });
  expect(made.status).toBe(201);
  return sink;
}

/** One whose jobs a worker pulls. */
async function pullShop(name: string): Promise<PullWorker> {
  await hub.json("PUT", `/v1/subscriptions/${name}`, { topics: [name], target: { kind: "pull" } });
  return new PullWorker(hub, name);
}

const inTopic = (name: string): object => ({ topic: name, eventTopic: `${name}-news`, ...TELLS });

describe("a batch", () => {
  it("[BAT-1, BAT-2] publishes its jobs at once as events that say whose they are, and counts them as they settle", async () => {
    const sink = await workshop("parallel", () => 204);
    const batch = await makeBatch(hub, { mode: "parallel", name: "mail", jobs: jobs(5), ...inTopic("parallel") });
    expect(batch).toMatchObject({ name: "mail", state: "running", total: 5, subscription: "parallel", round: 1 });
    const over = await overOf(hub, batch.id);
    expect(over).toMatchObject({ state: "finished", completed: 5, failed: 0, cancelled: 0, open: 0, percent: 100 });
    expect(sink.accepted.map(numberOf).toSorted()).toEqual([0, 1, 2, 3, 4]);
    const events = await hub.readAll("parallel");
    expect(events.map((event) => [event["batchid"], event["jobindex"], event.data])).toEqual(
      jobs(5).map(({ payload }, index) => [batch.id, index, payload]),
    );
    const news = await newsOf(hub, "parallel-news", batch.id);
    const steps = news.filter(({ type }) => type === TELLS.progress).map(({ data }) => data);
    expect(steps).toEqual(
      [1, 2, 3, 4, 5].map((completed) => ({
        batch_id: batch.id,
        completed,
        failed: 0,
        total: 5,
        percent: completed * 20,
      })),
    );
    expect(typesOf(news).slice(5)).toEqual([TELLS.then, TELLS.finally]);
  });

  it("[BAT-3] as a chain publishes the next job when the one before is done, and stops at its first failure", async () => {
    const sink = await workshop("chain", (delivery) => (numberOf(delivery) === 2 ? 422 : 204));
    const batch = await makeBatch(hub, { mode: "chain", jobs: jobs(5), ...inTopic("chain") });
    expect(await overOf(hub, batch.id)).toMatchObject({ state: "failed", completed: 2, failed: 1, open: 2 });
    expect(sink.deliveries.map(numberOf)).toEqual([0, 1, 2]);
    const news = await newsOf(hub, "chain-news", batch.id);
    const { progress, catch: caught, finally: end } = TELLS;
    expect(typesOf(news)).toEqual([progress, progress, progress, caught, end]);
    expect(news[3]!.data).toMatchObject({ job: { index: 2, type: "work", reason: "refused_permanently" }, failed: 1 });
    expect((await hub.readAll("chain")).length).toBe(3);
  });

  it("[BAT-3, BAT-5] that allows failures goes on behind them, and tells then all the same", async () => {
    const sink = await workshop("tolerant", (delivery) => (numberOf(delivery) === 1 ? 422 : 204));
    const batch = await makeBatch(hub, { mode: "chain", allowFailures: true, jobs: jobs(4), ...inTopic("tolerant") });
    expect(await overOf(hub, batch.id)).toMatchObject({ state: "finished", completed: 3, failed: 1, open: 0 });
    expect(sink.deliveries.map(numberOf)).toEqual([0, 1, 2, 3]);
    const { progress, catch: caught, then, finally: end } = TELLS;
    const types = typesOf(await newsOf(hub, "tolerant-news", batch.id));
    expect(types).toEqual([progress, progress, caught, progress, progress, then, end]);
  });

  it("[BAT-7] tries what failed again, and tells of that round as of the first", async () => {
    let isMended = false;
    await workshop("mended", (delivery) => (numberOf(delivery) < 2 && !isMended ? 422 : 204));
    const batch = await makeBatch(hub, { mode: "parallel", jobs: jobs(4), ...inTopic("mended") });
    expect(await overOf(hub, batch.id)).toMatchObject({ state: "failed", completed: 2, failed: 2 });
    expect((await jobsOf(hub, batch.id, "&state=failed")).map(({ index, run }) => [index, run])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    isMended = true;
    expect((await actOn(hub, batch.id, "retry")).body).toMatchObject({ state: "running", round: 2, failed: 0 });
    expect(await overOf(hub, batch.id)).toMatchObject({ state: "finished", completed: 4, failed: 0 });
    const types = typesOf(await newsOf(hub, "mended-news", batch.id, 2));
    expect(types.slice(types.indexOf(TELLS.finally) + 1)).toEqual([
      TELLS.progress,
      TELLS.progress,
      TELLS.then,
      TELLS.finally,
    ]);
    expect((await actOn(hub, batch.id, "retry")).body).toMatchObject({ code: "batch_over" });
  });

  it("[BAT-8] takes more jobs while it runs, and none when it is over", async () => {
    const worker = await pullShop("growing");
    const batch = await makeBatch(hub, { mode: "parallel", jobs: jobs(2), ...inTopic("growing") });
    const key = { "idempotency-key": "more" };
    const more = await hub.json(`POST`, `/v1/batches/${batch.id}/jobs`, { jobs: jobs(3, "more") }, key);
    expect([more.status, more.body]).toMatchObject([200, { total: 5 }]);
    const again = await hub.json(`POST`, `/v1/batches/${batch.id}/jobs`, { jobs: jobs(3, "more") }, key);
    expect(again.body).toMatchObject({ total: 5 });
    await eventually(
      async () => worker.ack(await worker.pull()).then(() => batchOf(hub, batch.id)),
      ({ open }) => open === 0,
      "all are done",
    );
    expect(await overOf(hub, batch.id)).toMatchObject({ state: "finished", completed: 5 });
    expect((await actOn(hub, batch.id, "jobs", { jobs: jobs(1) })).body).toMatchObject({ code: "batch_over" });
  });

  it("[BAT-9] whose subscription is null ends its jobs when workers say so, and each of them once", async () => {
    const batch = await makeBatch(hub, { mode: "chain", subscription: null, jobs: jobs(3), ...inTopic("by-hand") });
    await eventually(
      () => hub.readAll("by-hand").catch(() => []),
      (events) => events.length === 1,
      "the first job is there",
    );
    const say = (rest: string, body: object = {}) => actOn(hub, batch.id, `jobs/${rest}`, body);
    expect((await say("1/complete")).body).toMatchObject({ code: "batch_job_not_started" });
    expect((await say("0/complete")).body).toEqual({ index: 0, type: "work", state: "completed", run: 1 });
    expect((await say("0/complete")).status).toBe(200);
    expect((await say("0/fail")).body).toMatchObject({ code: "batch_job_over" });
    expect((await say("7/fail")).body).toMatchObject({ code: "batch_job_not_found" });
    await eventually(
      () => say("1/fail", { reason: "no paper" }),
      ({ status }) => status === 200,
      "the second is there",
    );
    expect(await overOf(hub, batch.id)).toMatchObject({ state: "failed", completed: 1, failed: 1, open: 1 });
    expect((await jobsOf(hub, batch.id)).map(({ reason }) => reason)).toEqual([undefined, "no paper", undefined]);
  });

  it("[BAT-6] that is cancelled starts nothing more: not what waits in the queue, nor what a worker would pull", async () => {
    const gate = { isOpen: false };
    const sink = await workshop("halted", () => ({ status: 204, delayMs: gate.isOpen ? 0 : 400 }));
    const batch = await makeBatch(hub, { mode: "parallel", jobs: jobs(60), ...inTopic("halted") });
    await sink.until(({ deliveries }) => deliveries.length >= 3, "some have come");
    const cancelled = await actOn(hub, batch.id, "cancel");
    const begun = sink.deliveries.length;
    expect(cancelled.status).toBe(200);
    gate.isOpen = true;
    const over = await overOf(hub, batch.id);
    expect(over.state).toBe("cancelled");
    expect(over.completed + over.cancelled).toBe(60);
    expect(sink.deliveries.length).toBe(over.completed);
    expect(over.completed - begun).toBeLessThanOrEqual(12); // Those that were under way, at six connections.
    const news = await newsOf(hub, "halted-news", batch.id);
    expect(typesOf(news).filter((type) => type !== TELLS.progress)).toEqual([TELLS.finally]);
    const { body } = await hub.json<{ stats: Record<string, number> }>("GET", "/v1/subscriptions/halted");
    expect(body.stats).toMatchObject({ matched: 60, delivered: over.completed, skipped: over.cancelled, owed: 0 });
    expect(await fatesOf(hub, "halted")).toEqual({ delivered: over.completed, cancelled: over.cancelled });
  });

  it("[BAT-6] that is cancelled leaves what a pull worker holds to its end", async () => {
    const worker = await pullShop("pulled");
    const batch = await makeBatch(hub, { mode: "parallel", jobs: jobs(10), ...inTopic("pulled") });
    const held = await eventually(
      () => worker.pull({ max: 3, lease: "1m" }),
      (pulled) => pulled.length > 0,
      "jobs are there",
    );
    const first = held[0]!;
    const cancelled = await actOn(hub, batch.id, "cancel");
    expect(cancelled.body).toMatchObject({ state: "cancelling", cancelled: 10 - held.length, open: held.length });
    expect(await worker.pull({ max: 10 })).toEqual([]);
    await worker.nack([first]);
    await worker.ack(held.slice(1));
    const over = await overOf(hub, batch.id);
    expect(over).toMatchObject({ state: "cancelled", completed: held.length - 1, cancelled: 11 - held.length });
    expect((await batchOf(hub, batch.id))["endedAt"]).toBeDefined();
    expect(await fatesOf(hub, "pulled")).toEqual({ delivered: over.completed, cancelled: over.cancelled });
  });

  it("[BAT-4] counts on the only subscription of its topic, or on the one that it names", async () => {
    for (const name of ["choice-a", "choice-b"])
      await hub.json("PUT", `/v1/subscriptions/${name}`, { topics: ["choice"], target: { kind: "pull" } });
    const definition = { mode: "parallel", jobs: jobs(1), topic: "choice" };
    const refused = await hub.json<{ code: string; errors: unknown[] }>("POST", "/v1/batches", definition);
    expect(refused.body).toMatchObject({ code: "batch_invalid", errors: [{ pointer: "/subscription" }] });
    const batch = await makeBatch(hub, { ...definition, subscription: "choice-b" });
    const settle = (name: string) => {
      const worker = new PullWorker(hub, name);
      return eventually(
        async () => worker.ack(await worker.pull()),
        (acks) => acks.length === 1,
        `${name} has its job`,
      );
    };
    await settle("choice-a");
    expect(await batchOf(hub, batch.id)).toMatchObject({ state: "running", completed: 0, subscription: "choice-b" });
    await settle("choice-b");
    expect(await overOf(hub, batch.id)).toMatchObject({ state: "finished", completed: 1 });
  });

  it("[BAT-1] is not fooled by a producer who writes what only the hub may", async () => {
    const worker = await pullShop("forged");
    const batch = await makeBatch(hub, { mode: "chain", jobs: jobs(2), ...inTopic("forged") });
    const said = { batchid: batch.id, jobindex: 1, jobrun: 1 };
    const event = { specversion: "1.0", id: "f", source: "/f", type: "work", ...said, data: said };
    const headers = { "content-type": "application/cloudevents+json", authorization: `Bearer ${ROOT_KEY}` };
    const init = { method: "POST", headers, body: JSON.stringify(event) };
    expect((await hub.request("/v1/topics/forged/events", init)).status).toBe(201);
    await eventually(
      async () => {
        const pulled = await worker.pull();
        await worker.ack(pulled);
        return pulled.some(({ event: { id } }) => id === "f");
      },
      (isThere) => isThere,
      "the forgery came",
    );
    expect((await jobsOf(hub, batch.id)).every(({ index, state }) => index === 0 || state === "open")).toBe(true);
  });

  it("[BAT-8] refuses a job whose payload its topic would not take, before anything stands", async () => {
    await hub.json("PUT", "/v1/topics/strict", { schemaPolicy: "enforce" });
    const schema = { type: "object", properties: { n: { type: "integer" } } };
    await hub.json("PUT", "/v1/schemas/strict.work", { schema });
    const bad = [
      { type: "strict.work", payload: { n: 1 } },
      { type: "strict.work", payload: { n: "one" } },
    ];
    const definition = { mode: "chain", topic: "strict", subscription: null, jobs: bad };
    const { status, body } = await hub.json<{ errors: unknown[] }>("POST", "/v1/batches", definition);
    expect([status, body.errors]).toMatchObject([422, [{ pointer: "/jobs/1/payload/n" }]]);
    const batch = await makeBatch(hub, { ...definition, jobs: bad.slice(0, 1) });
    const more = await actOn(hub, batch.id, "jobs", { jobs: bad.slice(1) });
    expect(more.body).toMatchObject({ code: "schema_violation", errors: [{ pointer: "/jobs/0/payload/n" }] });
  });

  it("[BAT-11] is its publishers', listed and audited, and one for each Idempotency-Key", async () => {
    const keyOf = async (...scopes: string[]): Promise<Record<string, string>> => {
      const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", scopes });
      return { authorization: `Bearer ${body.key}` };
    };
    const definition = { mode: "chain", topic: "guarded", subscription: null, jobs: jobs(1), name: "guarded" };
    const [owner, reader, other] = [
      await keyOf("publish:guarded"),
      await keyOf("subscribe:guarded"),
      await keyOf("publish:other"),
    ];
    const once = { ...owner, "idempotency-key": "once" };
    const batch = await makeBatch(hub, definition, once);
    expect((await makeBatch(hub, definition, once)).id).toBe(batch.id);
    const tells = { ...definition, eventTopic: "other" };
    const look = (verb: string, path: string, headers: Record<string, string>) =>
      hub.json<{ code?: string }>(verb, `/v1/batches${path}`, verb === "POST" ? {} : undefined, headers);
    expect((await hub.json("POST", "/v1/batches", tells, owner)).body).toMatchObject({ code: "scope_missing" });
    expect((await look("GET", `/${batch.id}`, reader)).status).toBe(200);
    for (const act of ["cancel", "retry", "jobs"])
      expect((await look("POST", `/${batch.id}/${act}`, reader)).body.code).toBe("scope_missing");
    expect((await look("GET", `/${batch.id}`, other)).body.code).toBe("batch_not_found");
    expect((await look("POST", `/${batch.id}/cancel`, other)).body.code).toBe("batch_not_found");
    const listed = async (headers: Record<string, string>): Promise<unknown[]> => {
      const { body } = await hub.json<{ items: { id: string }[] }>("GET", "/v1/batches?limit=1000", undefined, headers);
      return body.items.map(({ id }) => id);
    };
    expect([await listed(owner), await listed(other)]).toEqual([[batch.id], []]);
    await eventually(
      () => look("POST", `/${batch.id}/jobs/0/fail`, owner),
      ({ status }) => status === 200,
      "its job is there",
    );
    expect((await look("POST", `/${batch.id}/retry`, owner)).body).toMatchObject({ state: "running" });
    const more = await hub.json("POST", `/v1/batches/${batch.id}/jobs`, { jobs: jobs(1) }, owner);
    expect(more.body).toMatchObject({ total: 2 });
    expect((await look("POST", `/${batch.id}/cancel`, owner)).body).toMatchObject({ state: "cancelled" });
    const { body } = await hub.json<{ items: { action: string }[] }>("GET", `/v1/audit?subject=${batch.id}`);
    expect(body.items.map(({ action }) => action).toSorted()).toEqual([
      "batch.cancelled",
      "batch.created",
      "batch.extended",
      "batch.retried",
    ]);
  });

  it("[BAT-14] may have batches as jobs, which end as their own jobs do, and are retried with it", async () => {
    const hold = { isMended: false };
    const sink = await workshop("nested", (delivery) => (numberOf(delivery) === 1 && !hold.isMended ? 422 : 204));
    const inside = { batch: { mode: "parallel", name: "inside", jobs: jobs(3), finally: "inside.over" } };
    const [first, last] = [
      { type: "work", payload: { n: 10 } },
      { type: "work", payload: { n: 11 } },
    ];
    const definition = { mode: "chain", jobs: [first, inside, last], ...inTopic("nested") };
    const batch = await makeBatch(hub, definition);
    expect(await overOf(hub, batch.id)).toMatchObject({ state: "failed", completed: 1, failed: 1, open: 1 });
    expect(sink.deliveries.map(numberOf).toSorted((a, b) => a - b)).toEqual([0, 1, 2, 10]);
    const nested = (await jobsOf(hub, batch.id))[1] as unknown as { batch: string; type: string; reason: string };
    expect(nested).toMatchObject({ type: "batch", reason: "batch_failed" });
    expect(await batchOf(hub, nested.batch)).toMatchObject({
      name: "inside",
      state: "failed",
      completed: 2,
      failed: 1,
      parent: { id: batch.id, index: 1 },
    });
    expect((await actOn(hub, nested.batch, "retry")).body).toMatchObject({ code: "batch_over" });
    expect((await actOn(hub, batch.id, "jobs/1/complete")).body).toMatchObject({ code: "batch_job_not_found" });
    hold.isMended = true;
    await actOn(hub, batch.id, "retry");
    expect(await overOf(hub, batch.id)).toMatchObject({ state: "finished", completed: 3, failed: 0 });
    // Of the batch inside only what had failed came again.
    expect(sink.deliveries.map(numberOf).toSorted((a, b) => a - b)).toEqual([0, 1, 1, 2, 10, 11]);
    const over = (await hub.readAll("nested-news")).filter(({ type }) => type === "inside.over");
    expect(over.map(({ data }) => (data as { state: string }).state)).toEqual(["failed", "finished"]);
  });

  it("[BAT-14] that is cancelled cancels the batches inside it", async () => {
    const worker = await pullShop("deep");
    const deepest = { batch: { mode: "parallel", jobs: jobs(2) } };
    const inside = { batch: { mode: "parallel", jobs: [deepest, ...jobs(1)] } };
    const batch = await makeBatch(hub, { mode: "parallel", jobs: [inside, ...jobs(1)], ...inTopic("deep") });
    await eventually(
      () => hub.readAll("deep").catch(() => []),
      (events) => events.length === 4,
      "all jobs are published",
    );
    const pulled: Pulled[] = [];
    await eventually(
      async () => pulled.push(...(await worker.pull({ max: 10, lease: "2m" }))),
      (count) => count === 4,
      "all jobs are held",
    );
    const groups = Map.groupBy(pulled, ({ event }) => event["batchid"]);
    const [held, returned] = [...groups.values()].find(({ length }) => length === 2)!; // Of the deepest.
    await worker.ack(pulled.filter((one) => one !== held && one !== returned));
    await worker.nack([returned!], { delay: "1ms" });
    await eventually(
      () => batchOf(hub, batch.id),
      ({ completed }) => completed === 1,
      "its own job is done",
    );
    expect((await actOn(hub, batch.id, "cancel")).body).toMatchObject({ state: "cancelling", open: 1 });
    expect(await worker.pull({ max: 10 })).toEqual([]);
    await worker.ack([held!]);
    expect(await overOf(hub, batch.id)).toMatchObject({ state: "cancelled", open: 0 });
    const listed = async (): Promise<readonly string[]> => {
      const { body } = await hub.json<{ items: { topic: string; state: string }[] }>("GET", "/v1/batches?limit=1000");
      return body.items.filter(({ topic }) => topic === "deep").map(({ state }) => state);
    };
    const isCancelled = (states: readonly string[]): boolean =>
      states.length === 3 && states.every((state) => state === "cancelled");
    await eventually(listed, isCancelled, "the list has heard of all three");
    const tooDeep = [1, 2, 3].reduce((within) => ({ batch: { mode: "chain", jobs: [within] } }), {
      type: "work",
    } as object);
    const refused = await hub.json("POST", "/v1/batches", { mode: "chain", subscription: null, jobs: [tooDeep] });
    expect(refused.body).toMatchObject({ code: "batch_invalid" });
  });
});
