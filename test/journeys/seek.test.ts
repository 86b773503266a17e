/** Seeks over HTTP, against real logs: previewed, done, audited, and through an eviction. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

interface Sought {
  readonly again: number;
  readonly skipped: number;
  readonly partitions: readonly unknown[];
}
interface Stats {
  readonly matched: number;
  readonly delivered: number;
  readonly skipped: number;
  readonly owed: number;
  readonly lag: number;
}

/** What a killed consumer had claimed goes out again when its lease has run out. */
const LEASES_LAPSE_MS = 40_000;

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  hub = await startHub();
  sink = await Sink.open();
  await hub.json("PUT", "/v1/topics/shelf", { partitions: 2 });
  const target = { kind: "webhook", url: sink.url };
  await hub.json("PUT", "/v1/subscriptions/shelf", { topics: ["shelf"], target });
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});

const publish = (from: number, count: number): Promise<unknown> =>
  hub.publish(
    "shelf",
    Array.from({ length: count }, (_, at) => ({ type: "shelved", data: { n: from + at } })),
  );
const settled = (what: (stats: Stats) => boolean): Promise<Stats> =>
  eventually(
    async () => (await hub.json<{ stats: Stats }>("GET", "/v1/subscriptions/shelf")).body.stats,
    (stats) => stats.lag === 0 && stats.owed === 0 && what(stats),
    "all is settled",
  );
const seek = async (body: object): Promise<Sought> => {
  const answer = await hub.json<Sought>("POST", "/v1/subscriptions/shelf/seek", body);
  expect(answer.status).toBe(200);
  return answer.body;
};

it("[RPL-1, RPL-2] previews, goes back over all partitions, and delivers each event once more under a new id", async () => {
  await publish(0, 40);
  await settled(({ delivered }) => delivered === 40);
  const preview = await seek({ to: "earliest", dryRun: true });
  expect([preview.again, preview.skipped, preview.partitions.length]).toEqual([40, 0, 2]);
  expect(await seek({ to: "earliest" })).toEqual(preview);
  await hub.evictAll("Subscription");
  expect(await settled(({ delivered }) => delivered === 80)).toMatchObject({ matched: 80 });
  const ids = new Map<number, Set<string>>();
  for (const { id, event } of sink.accepted) {
    const { n } = event.data as { n: number };
    ids.set(n, (ids.get(n) ?? new Set()).add(id));
  }
  expect([...ids.values()].map(({ size }) => size)).toEqual(Array(40).fill(2));
  const { body } = await hub.json<{ items: object[] }>("GET", "/v1/audit?order=desc&limit=1");
  expect(body.items).toMatchObject([
    { action: "subscription.sought", subject: "shelf", after: { again: 40, skipped: 0, partitions: 2 } },
  ]);
});

it(
  "[RPL-3] killed while it goes back, each event comes once more and none twice",
  async () => {
    const { url } = sink;
    const definition = { topics: ["shelf"], startFrom: "earliest", target: { kind: "webhook", url: `${url}/killed` } };
    const path = "/v1/subscriptions/killed";
    await hub.json("PUT", path, { ...definition, timeout: "1s", maxInFlight: 4 });
    const stats = (): Promise<Stats> => hub.json<{ stats: Stats }>("GET", path).then(({ body }) => body.stats);
    const hasCome = (count: number) => (now: Stats) => now.owed === 0 && now.lag === 0 && now.delivered === count;
    await eventually(stats, hasCome(40), "all has come");
    const before = sink.accepted.length;
    await hub.json("POST", `${path}/seek`, { to: "earliest" });
    await sink.until(() => sink.accepted.length >= before + 10, "some has come again");
    await hub.killRuntime();
    expect(await eventually(stats, hasCome(80), "all has come again", LEASES_LAPSE_MS)).toMatchObject({ matched: 80 });
    const again = sink.accepted.slice(before).map(({ id }) => id);
    expect(new Set(again).size).toBe(40);
    // Only what was accepted when the kill came may have been sent twice, under the id that it had.
    expect(again.length - 40).toBeLessThanOrEqual(4);
  },
  LEASES_LAPSE_MS + 20_000,
);

it("[RPL-1, RPL-2] paused and sent forward, it skips what came meanwhile and counts it", async () => {
  await hub.json("POST", "/v1/subscriptions/shelf/pause");
  await publish(40, 10);
  expect(await seek({ to: "latest" })).toMatchObject({ again: 0, skipped: 10 });
  await hub.json("POST", "/v1/subscriptions/shelf/resume");
  await publish(50, 2);
  expect(await settled(({ delivered }) => delivered === 82)).toMatchObject({ matched: 92, skipped: 10 });
  const refused = await hub.json<{ code: string }>("POST", "/v1/subscriptions/shelf/seek", { to: "offset:1" });
  expect([refused.status, refused.body.code]).toEqual([422, "partition_required"]);
  expect(await seek({ to: "offset:1", partition: 1, dryRun: true })).toMatchObject({ partitions: [{ to: 1 }] });
});
