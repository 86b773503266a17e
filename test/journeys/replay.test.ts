/** Replays over HTTP, against real logs and a real endpoint: by force, of what is missing, of what failed. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Answer, type Hub } from "../harness/hub.ts";
import { Sink, type ReceivedDelivery } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

interface Replayed {
  readonly matched: number;
  readonly job?: string;
  readonly partitions: readonly unknown[];
  readonly code?: string;
}
interface Job {
  readonly state: string;
  readonly matched: number;
  readonly done: number;
  readonly replayed: number;
}
interface Stats {
  readonly matched: number;
  readonly delivered: number;
  readonly dead: number;
  readonly owed: number;
  readonly lag: number;
}

const EVENTS = 200;
/** What a killed consumer had claimed goes out again when its lease has run out. */
const LEASES_LAPSE_MS = 40_000;

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  hub = await startHub();
  sink = await Sink.open();
  await hub.json("PUT", "/v1/topics/shelf", { partitions: 2 });
  await define("shelf");
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});

const define = (name: string): Promise<unknown> => {
  const target = { kind: "webhook", url: `${sink.url}/${name}` };
  const schedule = { retry: { maxAttempts: 5, schedule: ["50ms"] }, timeout: "1s" };
  return hub.json("PUT", `/v1/subscriptions/${name}`, { topics: ["shelf"], target, maxInFlight: 40, ...schedule });
};
const publish = (from: number, count: number): Promise<unknown> =>
  hub.publish(
    "shelf",
    Array.from({ length: count }, (_, at) => ({ type: "shelved", data: { n: from + at } })),
  );
const replay = (body: object, name = "shelf"): Promise<Answer<Replayed>> =>
  hub.json("POST", `/v1/subscriptions/${name}/replay`, body);
const jobOf = async (id: string): Promise<Job> => (await hub.json<Job>("GET", `/v1/jobs/${id}`)).body;
const settled = (what: (stats: Stats) => boolean, name = "shelf"): Promise<Stats> =>
  eventually(
    async () => (await hub.json<{ stats: Stats }>("GET", `/v1/subscriptions/${name}`)).body.stats,
    (stats) => stats.lag === 0 && stats.owed === 0 && what(stats),
    "all is settled",
    LEASES_LAPSE_MS,
  );
const numberOf = ({ event }: ReceivedDelivery): number => (event.data as { n: number }).n;

/** The ids under which each event was accepted. */
function idsByEvent(path: string): Map<number, Set<string>> {
  const ids = new Map<number, Set<string>>();
  for (const delivery of sink.accepted) {
    const n = numberOf(delivery);
    if (delivery.path === path) ids.set(n, (ids.get(n) ?? new Set()).add(delivery.id));
  }
  return ids;
}

it(
  "[RPL-5, RPL-6, RPL-9] by force, sent twice at once and killed on the way, each event comes once more",
  async () => {
    await publish(0, EVENTS);
    await settled(({ delivered }) => delivered === EVENTS);
    const range = { mode: "force", from: "earliest" };
    const preview = (await replay({ ...range, dryRun: true })).body;
    expect([preview.matched, preview.job, preview.partitions.length]).toEqual([EVENTS, undefined, 2]);

    const before = sink.accepted.length;
    const answers = await Promise.all([replay(range), replay(range)]);
    const [begun, refused] = answers.toSorted((left, right) => left.status - right.status);
    expect([begun!.status, begun!.body.matched]).toEqual([202, EVENTS]);
    expect([refused!.status, refused!.body.code]).toEqual([409, "replay_under_way"]);
    await sink.until(() => sink.accepted.length >= before + 30, "some of it has come");
    await hub.killRuntime();
    await publish(EVENTS, 5); // Beside it.
    await settled(({ delivered }) => delivered === 2 * EVENTS + 5);
    expect(await jobOf(begun!.body.job!)).toMatchObject({ state: "done", done: EVENTS, replayed: EVENTS });
    const ids = idsByEvent("/shelf");
    expect([...ids].filter(([n, { size }]) => size !== (n < EVENTS ? 2 : 1))).toEqual([]);
    const again = sink.accepted.slice(before).filter((delivery) => numberOf(delivery) < EVENTS);
    expect(new Set(again.map(({ headers }) => headers["webhook-redrive"]))).toEqual(new Set(["true"]));
    const { body } = await hub.json<{ items: object[] }>("GET", "/v1/audit?order=desc&limit=1");
    expect(body.items).toMatchObject([
      { action: "subscription.replayed", subject: "shelf", after: { mode: "force", matched: EVENTS } },
    ]);
  },
  LEASES_LAPSE_MS + 20_000,
);

it("[RPL-8] what it skipped, or what came before it, it gets when it asks for what is missing", async () => {
  await define("late");
  await hub.json("POST", "/v1/subscriptions/late/pause");
  await publish(500, 20);
  await hub.json("POST", "/v1/subscriptions/late/seek", { to: "latest" });
  await hub.json("POST", "/v1/subscriptions/late/resume");
  await publish(600, 3);
  await settled(({ delivered }) => delivered === 3, "late");
  const range = { mode: "missing", from: "earliest" };
  expect((await replay({ ...range, dryRun: true }, "late")).body.matched).toBe(EVENTS + 25);
  const filter = { data: { n: [{ numeric: [">=", 500] }] } };
  expect((await replay({ ...range, filter }, "late")).status).toBe(202);
  await settled(({ delivered }) => delivered === 23, "late");
  expect((await replay({ ...range, dryRun: true }, "late")).body.matched).toBe(EVENTS + 5);
  expect((await replay(range, "late")).status).toBe(202);
  await settled(({ delivered }) => delivered === EVENTS + 28, "late");
  const ids = idsByEvent("/late");
  expect([ids.size, Math.max(...[...ids.values()].map(({ size }) => size))]).toEqual([EVENTS + 28, 1]);
  expect((await replay(range, "late")).body).toEqual({ matched: 0, partitions: expect.any(Array) });
});

it("[RPL-7] what is dead of a range is redriven under its ids", async () => {
  sink.respond((delivery) => (delivery.path === "/late" ? 204 : 422));
  await publish(700, 10);
  await settled(({ dead }) => dead === 10);
  const refused = new Set(
    sink.deliveries.filter((one) => numberOf(one) >= 700 && one.path === "/shelf").map(({ id }) => id),
  );
  sink.respond(() => 204);
  const answer = await replay({ mode: "failed", from: "earliest" });
  expect([answer.status, answer.body.matched]).toEqual([202, 10]);
  expect(await settled(({ dead }) => dead === 0)).toMatchObject({ matched: 2 * EVENTS + 5 + 23 + 10 });
  const again = sink.accepted.filter((one) => numberOf(one) >= 700 && one.path === "/shelf").map(({ id }) => id);
  expect(new Set(again)).toEqual(refused);
  expect(again).toHaveLength(10);
});
