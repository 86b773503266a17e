import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startHub, type Answer, type Hub, type Receipt } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

interface SyncOutcome {
  readonly subscription: string;
  readonly event: string;
  readonly outcome: string;
  readonly status?: number;
  readonly durationMs: number;
}

type Published = Answer<{ readonly events: readonly Receipt[]; readonly sync?: readonly SyncOutcome[] }>;

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  hub = await startHub();
  sink = await Sink.open();
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});
beforeEach(() => sink.respond(() => 204));

const webhook = (path: string) => ({ kind: "webhook", url: `${sink.url}/${path}` });
const received = (path: string) => sink.deliveries.filter((delivery) => delivery.path === `/${path}`);

/** A subscription of one topic of the same name. */
async function subscribe(name: string, more: object = {}): Promise<void> {
  const definition = { topics: [name], mode: "sync", target: webhook(name), retry: { schedule: ["200ms"] }, ...more };
  const { status, body } = await hub.json("PUT", `/v1/subscriptions/${name}`, definition);
  expect([status, body["mode"]]).toEqual([201, "sync"]);
}

const publish = (topic: string, drafts: unknown, headers = {}): Promise<Published> =>
  hub.publish(topic, drafts, headers) as Promise<Published>;

async function statsOf(name: string): Promise<Record<string, number>> {
  const { stats } = (await hub.json<{ stats: Record<string, number> }>("GET", `/v1/subscriptions/${name}`)).body;
  const parts = ["delivered", "dead", "owed", "expired", "skipped", "discarded"].map((part) => stats[part]!);
  expect(parts.reduce((sum, part) => sum + part, 0)).toBe(stats["matched"]);
  return stats;
}

const delivered = (name: string, count: number) =>
  eventually(
    () => statsOf(name),
    (stats) => stats["delivered"] === count && stats["owed"] === 0 && stats["lag"] === 0,
    `${count} of ${name} are delivered`,
    30_000,
  );

describe("a publish that a subscription is waited for", () => {
  it("[SYN-1] answers when the target has answered, and says what it said", async () => {
    await subscribe("told");
    for (let round = 0; round < 5; round += 1) {
      const { status, body } = await publish("told", { type: "t", id: `told-${round}` });
      expect(status).toBe(201);
      expect(body.sync).toEqual([
        {
          subscription: "told",
          event: `told-${round}`,
          outcome: "delivered",
          status: 204,
          durationMs: expect.any(Number),
        },
      ]);
      expect(received("told")).toHaveLength(round + 1); // It was there before the answer.
    }
    expect(await delivered("told", 5)).toMatchObject({ matched: 5 });
    expect(received("told").map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 1]);
  });

  it("[SYN-2] reports a failure, which goes on async with that attempt counted", async () => {
    sink.respond(({ attempt }) => (attempt === 1 ? 503 : 204));
    await subscribe("failing");
    const { status, body } = await publish("failing", { type: "t" });
    expect([status, body.sync]).toMatchObject([201, [{ outcome: "failed", status: 503 }]]);
    await delivered("failing", 1);
    const [first, second, ...more] = received("failing");
    expect([second!.id, second!.attempt, more.length]).toEqual([first!.id, 2, 0]);
    const { body: listed } = await hub.json<{ items: unknown[] }>("GET", "/v1/subscriptions/failing/deliveries");
    expect(listed.items).toEqual([]);
  });

  it("[SYN-2] that is refused for good leaves a dead letter with that attempt", async () => {
    sink.respond(() => ({ status: 422, body: "no such shelf" }));
    await subscribe("refused");
    expect((await publish("refused", { type: "t" })).body.sync).toMatchObject([{ outcome: "failed", status: 422 }]);
    await eventually(
      () => statsOf("refused"),
      ({ dead }) => dead === 1,
      "it is dead",
    );
    const letters = await hub.json<{ items: unknown[] }>("GET", "/v1/subscriptions/refused/dead-letters");
    expect(letters.body.items).toMatchObject([{ attempts: [{ status: 422, excerpt: "no such shelf" }] }]);
  });

  it("[SYN-3] waits no longer than the subscription's timeout, and the delivery goes on", async () => {
    const attempts: number[] = [];
    sink.respond(({ attempt }) => {
      attempts.push(attempt);
      return attempt === 1 ? { status: 204, delayMs: 5_000 } : 204;
    });
    await subscribe("hung", { timeout: "500ms" });
    const begun = Date.now();
    const { body } = await publish("hung", { type: "t" });
    expect(Date.now() - begun).toBeLessThan(4_000);
    expect(body.sync).toMatchObject([{ outcome: "timeout" }]);
    await delivered("hung", 1);
    expect(attempts).toEqual([1, 2]);
  });

  it("[SYN-5] of many events says what became of each, over at most six connections", async () => {
    let [open, most] = [0, 0];
    sink.respond(({ event }) => {
      open += 1;
      most = Math.max(most, open);
      setTimeout(() => (open -= 1), 25);
      return { status: (event.data as { n: number }).n === 3 ? 500 : 204, delayMs: 30 };
    });
    await hub.json("PUT", "/v1/topics/many", { partitions: 3 });
    await subscribe("many", { maxInFlight: 100 });
    const drafts = Array.from({ length: 20 }, (_, n) => ({ type: "t", id: `many-${n}`, data: { n } }));
    const { body } = await publish("many", drafts);
    expect(body.sync!.map(({ event }) => event)).toEqual(drafts.map(({ id }) => id));
    expect(body.sync!.map(({ outcome }) => outcome)).toEqual(drafts.map((_, n) => (n === 3 ? "failed" : "delivered")));
    expect(most).toBeLessThanOrEqual(6);
    sink.respond(() => 204);
    await delivered("many", 20);
  });

  it("[SYN-6] tells nothing of what does not match, and delivers no event a second time", async () => {
    await subscribe("choosy", { filter: { data: { wanted: [true] } } });
    expect((await publish("choosy", { type: "t", data: { wanted: false } })).body.sync).toBeUndefined();
    const wanted = { type: "t", id: "once", data: { wanted: true } };
    expect((await publish("choosy", wanted)).body.sync).toMatchObject([{ outcome: "delivered" }]);
    const again = await publish("choosy", wanted);
    expect([again.status, again.body.sync]).toEqual([200, undefined]);
    expect((await publish("other", { type: "t" })).body.sync).toBeUndefined();
    await delivered("choosy", 1);
    expect(received("choosy")).toHaveLength(1);
  });

  it("[SYN-7] says queued where the ledger does not let it, and loses nothing", async () => {
    await subscribe("stopped");
    await hub.json("POST", "/v1/subscriptions/stopped/pause", {});
    expect((await publish("stopped", { type: "t" })).body.sync).toMatchObject([{ outcome: "queued" }]);
    await hub.json("POST", "/v1/subscriptions/stopped/resume", {});
    await delivered("stopped", 1);
  });

  it("[SYN-8] knows a subscription as soon as it is made, changed or ended here", async () => {
    await publish("fresh", { type: "t" });
    await subscribe("fresh");
    expect((await publish("fresh", { type: "t" })).body.sync).toMatchObject([{ outcome: "delivered" }]);
    await hub.json("PUT", "/v1/subscriptions/fresh", { topics: ["fresh"], target: webhook("fresh") });
    expect((await publish("fresh", { type: "t" })).body.sync).toBeUndefined();
    await hub.json("DELETE", "/v1/subscriptions/fresh");
    expect((await publish("fresh", { type: "t" })).body.sync).toBeUndefined();
  });

  it("[SYN-1] reports a listener of this Worker", async () => {
    await subscribe("counted", { target: { kind: "listener", name: "analytics" } });
    expect((await publish("counted", { type: "t" })).body.sync).toMatchObject([{ outcome: "delivered", status: 200 }]);
    await delivered("counted", 1);
  });
});

describe("[SYN-4] events that their publish does not deliver", () => {
  it("go by the queue a moment later: from NDJSON, and from a publish that died at once", async () => {
    await subscribe("lines");
    const lines = () =>
      hub.request("/v1/topics/lines/events", {
        method: "POST",
        headers: { "content-type": "application/x-ndjson" },
        body: '{"type":"t"}\n{"type":"t"}\n',
      });
    await (await lines()).text();
    await delivered("lines", 2);
    await (await lines()).text();
    await hub.killRuntime();
    await delivered("lines", 4);
    expect(new Set(received("lines").map(({ id }) => id)).size).toBe(4);
  });

  it("are rung when the publish dies in the middle of its attempt", async () => {
    const ids: string[] = [];
    sink.respond(({ id }) => ({ status: 204, delayMs: ids.push(id) === 1 ? 20_000 : 0 }));
    await subscribe("cut", { timeout: "1s" });
    const cut = publish("cut", { type: "t" }).catch(() => null);
    await eventually(
      () => ids.length,
      (count) => count === 1,
      "the attempt is under way",
    );
    await hub.killRuntime();
    await cut;
    await delivered("cut", 1);
    expect([ids.length > 1, new Set(ids).size]).toEqual([true, 1]);
  });
});
