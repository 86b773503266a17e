import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { claimOf, PullWorker, type Pulled } from "../builders/pull-worker.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually, pause } from "../harness/wait.ts";

interface Stats {
  readonly [name: string]: number;
}

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

/** A subscription of one topic of the same name, and a worker for it. */
async function subscribe(name: string, more: object = {}): Promise<PullWorker> {
  const target = { kind: "pull" };
  const { status, body } = await hub.json("PUT", `/v1/subscriptions/${name}`, { topics: [name], target, ...more });
  expect([status, body["target"]]).toEqual([201, target]);
  return new PullWorker(hub, name);
}

const publish = (topic: string, count: number, from = 0) =>
  hub.publish(
    topic,
    Array.from({ length: count }, (_, index) => ({ type: "counted", data: { n: from + index } })),
  );

async function statsOf(name: string): Promise<Stats> {
  const { stats } = (await hub.json<{ stats: Stats }>("GET", `/v1/subscriptions/${name}`)).body;
  const parts = ["delivered", "dead", "owed", "expired", "skipped", "discarded"].map((part) => stats[part]!);
  expect(parts.reduce((sum, part) => sum + part, 0)).toBe(stats["matched"]);
  return stats;
}

const numbersOf = (deliveries: readonly Pulled[]): number[] =>
  deliveries.map(({ event }) => (event.data as { readonly n: number }).n);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);
const lettersOf = async (name: string) =>
  (await hub.json<{ items: Record<string, unknown>[] }>("GET", `/v1/subscriptions/${name}/dead-letters`)).body.items;

describe("a pull", () => {
  it("[PUL-1] leases deliveries in the log's order, with the event as it is in the log", async () => {
    const worker = await subscribe("first");
    await hub.publish("first", '[{"type":"a","data":{"big":12345678901234567890}},{"type":"b","data":"ж"}]');
    const [one, two, ...none] = await worker.pull({ max: 10, lease: "1m" });
    expect(none).toEqual([]);
    expect(one).toMatchObject({ attempt: 1, event: { type: "a", topic: "first", offset: 1 } });
    expect(two).toMatchObject({ attempt: 1, event: { type: "b", offset: 2, data: "ж" } });
    expect(one!.id).toMatch(/^msg_[0-9a-f]{32}_1_1$/);
    expect(one!.lease).not.toBe(two!.lease);
    expect(Date.parse(one!.leaseUntil) - Date.now()).toBeGreaterThan(55_000);
    expect(await worker.pull()).toEqual([]);
    expect(await statsOf("first")).toMatchObject({ matched: 2, owed: 2, inFlight: 2 });
    const raw = await hub.json("GET", "/v1/subscriptions/first/deliveries?state=in_flight");
    expect(raw.body["items"]).toMatchObject([{ id: one!.id }, { id: two!.id }]);
  });

  it("[PUL-1] takes at most `max` and 4 MB, and leaves the rest for the next", async () => {
    const worker = await subscribe("large", { maxInFlight: 1_000 });
    const data = "x".repeat(200_000);
    for (let request = 0; request < 6; request += 1) {
      await hub.publish(
        "large",
        [1, 2, 3, 4].map(() => ({ type: "t", data })),
      );
    }
    expect(await worker.pull({ max: 3 })).toHaveLength(3);
    const page = await worker.pull({ max: 1_000 });
    expect(page.length).toBeLessThan(21);
    expect(JSON.stringify(page).length).toBeLessThan(4.2 * 1_024 * 1_024);
    const rest = await worker.pull({ max: 1_000 });
    expect(page.length + rest.length).toBe(21);
  });

  it("[PUL-9] sends nothing to the queue, and a backlog has no row until somebody comes", async () => {
    const worker = await subscribe("idle");
    await publish("idle", 200);
    const stats = await eventually(
      () => statsOf("idle"),
      ({ lag }) => lag === 200,
      "the backlog is known",
    );
    expect(stats).toMatchObject({ matched: 0, owed: 0 });
    expect(await rowsOf("idle", "SELECT * FROM dispatches")).toEqual([]);
    const pulled = await worker.pull({ max: 100 });
    expect(await rowsOf("idle", "SELECT open FROM dispatches")).toEqual([{ open: 100 }]);
    expect(await worker.ack(pulled)).toEqual(Array(100).fill("acked"));
    expect(await rowsOf("idle", "SELECT * FROM dispatches")).toEqual([]);
    expect(await rowsOf("idle", "SELECT * FROM retries")).toEqual([]);
    expect(
      hub.logs.filter(({ stage, subscription }) => stage === "delivery.attempted" && subscription === "idle"),
    ).toEqual([]);
  });

  it("[PUL-10] never leases more than maxInFlight", async () => {
    const worker = await subscribe("narrow", { maxInFlight: 5 });
    await publish("narrow", 8);
    const five = await worker.pull({ max: 100 });
    expect(numbersOf(five)).toEqual([0, 1, 2, 3, 4]);
    expect(await worker.pull({ max: 100 })).toEqual([]);
    await worker.ack(five.slice(0, 2));
    expect(numbersOf(await worker.pull({ max: 100 }))).toEqual([5, 6]);
  });

  it("[PUL-12] is for who may subscribe to each of its patterns, or manage it", async () => {
    await hub.json("PUT", "/v1/subscriptions/guarded", { topics: ["shop.*", "till.**"], target: { kind: "pull" } });
    await hub.publish("shop.a", { type: "t" });
    const workerWith = async (...scopes: string[]): Promise<PullWorker> => {
      const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "test", scopes });
      return new PullWorker(hub, "guarded", { authorization: `Bearer ${body.key}` });
    };
    const refused = async (worker: PullWorker) => (await worker.ask({})).body as unknown as { code: string };
    expect(await refused(await workerWith("publish:**", "history:**", "redrive:**"))).toMatchObject({
      code: "scope_missing",
    });
    for (const scope of ["subscribe:shop.*", "manage:shop.*", "subscribe:shop.a"]) {
      expect(await refused(await workerWith(scope))).toMatchObject({ code: "subscription_not_found" });
    }
    expect(await (await workerWith("subscribe:shop.*", "subscribe:till.**")).pull()).toHaveLength(1);
    expect(await (await workerWith("manage:subscriptions")).pull()).toEqual([]);
  });

  it("[PUL-12] sees a new definition at once, whatever the isolate remembers", async () => {
    await hub.json("PUT", "/v1/subscriptions/moving", { topics: ["open"], target: { kind: "pull" } });
    const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "test", scopes: ["subscribe:open"] });
    const worker = new PullWorker(hub, "moving", { authorization: `Bearer ${body.key}` });
    expect(await worker.pull()).toEqual([]);
    await hub.json("PUT", "/v1/subscriptions/moving", { topics: ["secret"], target: { kind: "pull" } });
    await hub.publish("secret", { type: "t" });
    expect((await worker.ask({})).body).toMatchObject({ code: "subscription_not_found" });
  });

  it("[PUL-14] is refused where the hub delivers; a change of the target loses nothing", async () => {
    sink.respond(() => 503);
    const webhook = { kind: "webhook", url: `${sink.url}/turned` };
    const definition = { topics: ["turned"], maxInFlight: 4, retry: { maxAttempts: 50, schedule: ["200ms"] } };
    await hub.json("PUT", "/v1/subscriptions/turned", { ...definition, target: webhook });
    const worker = new PullWorker(hub, "turned");
    expect((await worker.ask({})).body).toMatchObject({ code: "subscription_not_pulled" });
    await publish("turned", 6);
    await eventually(
      () => sink.deliveries.length,
      (count) => count >= 2,
      "two attempts",
    );
    await hub.json("PUT", "/v1/subscriptions/turned", { ...definition, target: { kind: "pull" } });
    const pulled = new Map<number, Pulled>();
    while (pulled.size < 3) {
      for (const delivery of await worker.pull({ max: 1, wait: "5s" })) pulled.set(numbersOf([delivery])[0]!, delivery);
    }
    await worker.ack([...pulled.values()].slice(0, 1));
    sink.respond(() => 204);
    await hub.json("PUT", "/v1/subscriptions/turned", { ...definition, target: webhook });
    await worker.nack([...pulled.values()].slice(1), { delay: "0s" });
    await eventually(
      () => statsOf("turned"),
      ({ delivered, lag }) => lag === 0 && delivered === 6,
      "the webhook has the others",
    );
    expect(new Set(sink.accepted.map(({ id }) => id)).size).toBe(5);
  });
});

describe("what a worker says", () => {
  it("[PUL-2] ends a delivery with an ack, once", async () => {
    const worker = await subscribe("acked");
    await publish("acked", 3);
    const pulled = await worker.pull();
    expect(await worker.ack(pulled)).toEqual(["acked", "acked", "acked"]);
    expect(await worker.ack(pulled)).toEqual(["fenced", "fenced", "fenced"]);
    expect(await worker.pull()).toEqual([]);
    expect(await statsOf("acked")).toMatchObject({ matched: 3, delivered: 3, owed: 0, lag: 0 });
  });

  it("[PUL-4] is fenced under any lease that does not hold that delivery now", async () => {
    const worker = await subscribe("fenced");
    await publish("fenced", 2);
    const [one, two] = await worker.pull();
    const invented = [
      { id: one!.id, lease: two!.lease },
      { id: one!.id, lease: "x" },
      { id: one!.id, lease: "1.0" },
      { id: "nonsense", lease: one!.lease },
      { id: one!.id.replace("_1_1", "_1_9"), lease: one!.lease },
      { id: "", lease: "" },
    ];
    const verdicts = await worker.report({
      acks: invented,
      nacks: invented,
      extends: invented.map((claim) => ({ ...claim, by: "1m" })),
    });
    for (const list of [verdicts.acks, verdicts.nacks, verdicts.extends])
      expect(list.map(({ outcome }) => outcome)).toEqual(invented.map(() => "fenced"));
    expect(verdicts.extends[0]).toEqual({ id: one!.id, outcome: "fenced", leaseUntil: null });
    expect(await statsOf("fenced")).toMatchObject({ delivered: 0, inFlight: 2 });
    // Of two words about one delivery the first counts.
    const twice = await worker.report({ acks: [claimOf(one!), claimOf(one!)], nacks: [claimOf(one!)] });
    expect([...twice.acks, ...twice.nacks].map(({ outcome }) => outcome)).toEqual(["acked", "fenced", "fenced"]);
  });

  it("[PUL-5] puts a delivery off with a nack, by its delay or the schedule, and the reason is kept", async () => {
    const worker = await subscribe("nacked", { retry: { maxAttempts: 3, schedule: ["1h"] } });
    await publish("nacked", 2);
    const [one, two] = await worker.pull();
    expect(await worker.nack([one!], { delay: "0s", reason: "not in the mood" })).toEqual(["nacked"]);
    expect(await worker.nack([two!])).toEqual(["nacked"]);
    const again = await worker.pull();
    expect(again).toMatchObject([{ id: one!.id, attempt: 2 }]);
    expect(again[0]!.lease).not.toBe(one!.lease);
    expect(await worker.ack([one!])).toEqual(["fenced"]);
    const owed = await hub.json<{ items: Record<string, unknown>[] }>(
      "GET",
      "/v1/subscriptions/nacked/deliveries?state=owed",
    );
    expect(owed.body.items.filter(({ id }) => id === two!.id)).toMatchObject([{ attempts: [{ error: "nacked" }] }]);
    expect(Date.parse(owed.body.items.at(-1)!["nextAttemptAt"] as string) - Date.now()).toBeGreaterThan(47 * 60_000);

    await worker.nack(again, { delay: "0s", reason: "still not" });
    expect(await worker.nack(await worker.pull(), { reason: "never" })).toEqual(["nacked"]);
    expect(await lettersOf("nacked")).toMatchObject([
      {
        id: one!.id,
        reason: "attempts_exhausted",
        event: { data: { n: 0 } },
        attempts: ["not in the mood", "still not", "never"].map((excerpt) => ({ error: "nacked", excerpt })),
      },
    ]);
    expect(await statsOf("nacked")).toMatchObject({ matched: 2, dead: 1, owed: 1 });
  });

  it("[PUL-11] redriven it is leased anew from the first attempt, with its own copy of the event", async () => {
    const worker = await subscribe("redriven", { retry: { maxAttempts: 1 } });
    await publish("redriven", 1);
    const [one] = await worker.pull();
    await worker.nack([one!]);
    await hub.json("POST", "/v1/subscriptions/redriven/dead-letters/redrive", { all: true });
    const [again] = await worker.pull();
    expect(again).toMatchObject({ id: one!.id, attempt: 1, redrive: true, event: { data: { n: 0 } } });
    expect(await worker.ack([again!])).toEqual(["acked"]);
    expect(await statsOf("redriven")).toMatchObject({ matched: 1, delivered: 1, dead: 0 });
  });

  it("[PUL-11] paused it leases nothing, and what is held is still acked", async () => {
    const worker = await subscribe("paused");
    await publish("paused", 4);
    const [one] = await worker.pull({ max: 1 });
    await hub.json("POST", "/v1/subscriptions/paused/pause", {});
    expect(await worker.pull()).toEqual([]);
    expect(await worker.ack([one!])).toEqual(["acked"]);
    const waiting = worker.pull({ wait: "20s" });
    await pause(100);
    await hub.json("POST", "/v1/subscriptions/paused/resume", {});
    expect(numbersOf(await waiting)).toEqual([1, 2, 3]);
  });
});

describe("a lease", () => {
  it("[PUL-4, PUL-6] that runs out fences its worker, and the delivery is due at once with that attempt counted", async () => {
    const worker = await subscribe("lost");
    await publish("lost", 1);
    const [one] = await worker.pull({ lease: "1s" });
    await pause(Date.parse(one!.leaseUntil) - Date.now() + 20);
    expect(await worker.ack([one!])).toEqual(["fenced"]); // Though nobody else has come for it.
    const [again] = await worker.pull();
    expect(again).toMatchObject({ id: one!.id, attempt: 2 });
    expect(Date.parse(again!.leaseUntil) - 30_000).toBeGreaterThanOrEqual(Date.parse(one!.leaseUntil));
    expect(await worker.ack([again!])).toEqual(["acked"]);
    expect(await statsOf("lost")).toMatchObject({ delivered: 1, owed: 0 });
  });

  it("[PUL-6] whose worker always vanishes ends among the dead letters, by the ledger's alarm alone", async () => {
    const worker = await subscribe("poison", { retry: { maxAttempts: 1 } });
    await publish("poison", 2);
    await worker.pull({ lease: "1s" });
    await eventually(
      () => statsOf("poison"),
      ({ dead }) => dead === 2,
      "both are dead",
    );
    expect(await lettersOf("poison")).toMatchObject([
      { attempts: [{ error: "lease_expired" }], event: { data: { n: 0 } } },
      { attempts: [{ error: "lease_expired" }], event: { data: { n: 1 } } },
    ]);
  });

  it("[PUL-7] is held longer by an extend, and stays the same", async () => {
    const worker = await subscribe("held");
    await publish("held", 2);
    const [one, two] = await worker.pull({ lease: "1s" });
    const { extends: verdicts } = await worker.report({ extends: [{ ...claimOf(one!), by: "30s" }] });
    const until = Date.parse(verdicts[0]!.leaseUntil!);
    expect([verdicts[0]!.outcome, until - Date.parse(one!.leaseUntil)]).toEqual(["extended", 30_000]);
    const [again] = await worker.pull({ wait: "10s" });
    expect(again!.id).toBe(two!.id);
    expect(await worker.ack([one!, two!, again!])).toEqual(["acked", "fenced", "acked"]);
    const far = await worker.report({ extends: [{ ...claimOf(one!), by: "12h" }] });
    expect(far.extends[0]!.outcome).toBe("fenced");
  });
});

describe("a pull that waits", () => {
  it("[PUL-8] answers as soon as an event comes, and loses none", async () => {
    const worker = await subscribe("waiting");
    for (let round = 0; round < 5; round += 1) {
      const [waited] = await Promise.all([worker.pull({ wait: "20s" }), publish("waiting", 1, round)]);
      expect(numbersOf(waited)).toEqual([round]);
      await worker.ack(waited);
    }
  });

  it("[PUL-8] is woken by a nack that is due, a redrive, and a window that opens", async () => {
    const worker = await subscribe("woken", { maxInFlight: 1, retry: { maxAttempts: 2 } });
    await publish("woken", 1);
    const [one] = await worker.pull();
    const afterNack = worker.pull({ wait: "20s" });
    await pause(50);
    await worker.nack([one!], { delay: "300ms" });
    const [again] = await afterNack;
    expect(again).toMatchObject({ id: one!.id, attempt: 2 });
    await worker.nack([again!]);

    const afterRedrive = worker.pull({ wait: "20s" });
    await pause(50);
    await hub.json("POST", "/v1/subscriptions/woken/dead-letters/redrive", { all: true });
    const [redriven] = await afterRedrive;
    expect(redriven!.id).toBe(one!.id);

    await publish("woken", 1, 1);
    const afterAck = worker.pull({ wait: "20s" });
    await pause(50);
    await worker.ack([redriven!]);
    expect(numbersOf(await afterAck)).toEqual([1]);
  });

  it("[PUL-8] is empty after its wait, though the ledger was evicted meanwhile", async () => {
    const worker = await subscribe("quiet");
    const begun = Date.now();
    const [none] = await Promise.all([worker.pull({ wait: "1s" }), pause(200).then(() => evict("quiet"))]);
    expect(none).toEqual([]);
    expect(Date.now() - begun).toBeGreaterThanOrEqual(950);
    const waiting = worker.pull({ wait: "20s" });
    await pause(200);
    await evict("quiet");
    await publish("quiet", 1);
    expect(numbersOf(await waiting)).toEqual([0]);
  });

  it("[PUL-8] ends for a key that is revoked meanwhile", async () => {
    await subscribe("revoked");
    const { body } = await hub.json<{ id: string; key: string }>("POST", "/v1/keys", {
      name: "t",
      scopes: ["subscribe:**"],
    });
    const worker = new PullWorker(hub, "revoked", { authorization: `Bearer ${body.key}` });
    const waiting = worker.ask({ wait: "20s" });
    await pause(200);
    await hub.json("DELETE", `/v1/keys/${body.id}`);
    await publish("revoked", 1);
    expect((await waiting).body).toMatchObject({ code: "credential_revoked" });
    expect(await statsOf("revoked")).toMatchObject({ matched: 0 });
  });
});

it("[PUL-13] what retention takes before its lease is counted expired", async () => {
  await hub.json("PUT", "/v1/topics/short", { retention: { maxEvents: 5 } });
  const worker = await subscribe("short");
  await publish("short", 3);
  const early = await worker.pull({ max: 3 });
  await worker.nack(early, { delay: "0s" });
  await publish("short", 20, 3);
  const pulled = await worker.pull();
  const stats = await statsOf("short");
  expect(stats["expired"]! + stats["owed"]!).toBe(23);
  expect(numbersOf(pulled)).toEqual(upTo(23).slice(-stats["owed"]!));
});

async function ledgerOf(name: string): Promise<string> {
  const database = await hub.database();
  const row = await database.prepare("SELECT id, app FROM subscriptions WHERE name = ?").bind(name).first();
  const { id, app } = row as { id: string; app: string };
  return JSON.stringify(["subscription", app, id]);
}

const rowsOf = async (name: string, sql: string): Promise<unknown[]> =>
  hub.rows("Subscription", await ledgerOf(name), sql);
const evict = async (name: string): Promise<void> => hub.evict("Subscription", await ledgerOf(name));
