/**
 * Ten thousand dead letters redriven by a filter, each over a request of its own: slowly until it is cancelled, then all
 * at once and asked for twice. What the filter leaves out stays dead, and nothing comes twice.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Answer, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

interface Repaired {
  readonly matched: number;
  readonly job: string;
}
interface Job {
  readonly state: string;
  readonly done: number;
}

const LETTERS = 10_000;
/** The first of them; no filter of a redrive lets them through. */
const OTHERS = 100;
const AT_ONCE = 500;
const LONG_MS = 90_000;

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  hub = await startHub();
  sink = await Sink.open(() => 422);
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});

const PATH = "/v1/subscriptions/shelf";
const define = (more: object): Promise<unknown> =>
  hub.json("PUT", PATH, { topics: ["shelf"], target: { kind: "webhook", url: sink.url }, maxInFlight: 1_000, ...more });
const stats = async (): Promise<Record<string, number>> =>
  (await hub.json<{ stats: Record<string, number> }>("GET", PATH)).body.stats;
const jobOf = async (id: string): Promise<Job> => (await hub.json<Job>("GET", `/v1/jobs/${id}`)).body;
const redrive = (more: object = {}): Promise<Answer<Repaired>> => {
  const filter = { data: { n: [{ numeric: [">=", OTHERS] }] } };
  return hub.json("POST", `${PATH}/dead-letters/redrive`, { filter, ...more });
};

/** In batches, because only what comes after their deaths is looked at here. */
async function buryAll(): Promise<void> {
  await define({ mode: "batch", batch: { maxEvents: 100, maxWait: "100ms" } });
  for (let from = 0; from < LETTERS + OTHERS; from += AT_ONCE) {
    const count = Math.min(AT_ONCE, LETTERS + OTHERS - from);
    await hub.publish(
      "shelf",
      Array.from({ length: count }, (_, at) => ({ type: "shelved", data: { n: from + at } })),
    );
  }
  await eventually(stats, ({ dead }) => dead === LETTERS + OTHERS, "all are dead", LONG_MS);
  await define({});
}

/** Until it has ended; `done` never goes back meanwhile. */
async function follow(id: string): Promise<Job> {
  let before = 0;
  return eventually(
    () => jobOf(id),
    ({ state, done }) => {
      expect(done).toBeGreaterThanOrEqual(before);
      before = done;
      return state !== "running";
    },
    "the job has ended",
    LONG_MS,
  );
}

it(
  "[DLQ-4, DLQ-5, DLQ-6] 10,000 by filter: readable, cancellable, and sent twice at once each comes once",
  async () => {
    await buryAll();
    sink.respond(() => 204);
    sink.deliveries.length = 0;

    const slow = (await redrive({ ratePerSecond: 100 })).body;
    expect(slow.matched).toBe(LETTERS);
    await eventually(
      () => jobOf(slow.job),
      ({ done }) => done >= 100,
      "some are redriven",
    );
    const cancelled = await hub.json<Job>("POST", `/v1/jobs/${slow.job}/cancel`, {});
    expect(cancelled.body.state).toBe("cancelled");
    expect(await stats()).toMatchObject({ dead: LETTERS + OTHERS - cancelled.body.done });

    const twice = await Promise.all([redrive(), redrive()]);
    expect(twice.map(({ status }) => status)).toEqual([202, 202]);
    const ended = await Promise.all(twice.map(({ body }) => follow(body.job)));
    expect(ended.map(({ state }) => state)).toEqual(["done", "done"]);
    expect(cancelled.body.done + ended[0]!.done + ended[1]!.done).toBe(LETTERS);

    const settled = await eventually(stats, ({ owed }) => owed === 0, "all are delivered", LONG_MS);
    expect(settled).toMatchObject({ matched: LETTERS + OTHERS, delivered: LETTERS, dead: OTHERS });
    expect(sink.deliveries).toHaveLength(LETTERS);
    expect(new Set(sink.deliveries.map(({ id }) => id)).size).toBe(LETTERS);
  },
  3 * LONG_MS,
);
