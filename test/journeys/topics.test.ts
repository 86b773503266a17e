import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LogStatus } from "../../src/durable-objects/rpc.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const drafts = (count: number, first = 1) =>
  Array.from({ length: count }, (_, index) => ({ type: "t", data: first + index }));
const dataOf = (events: readonly { readonly data?: unknown }[]): unknown[] => events.map(({ data }) => data);

describe("topics", () => {
  it("[TOP-1] are made with what is asked for, and show it with what each partition holds", async () => {
    const retention = { maxAge: "2h", maxEvents: 1_000, maxBytes: 5_000_000 };
    const definition = { partitions: 2, retention, index: "key", description: "Orders" };
    const made = await hub.json("PUT", "/v1/topics/defined", definition);
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ name: "defined", ...definition, schemaPolicy: "off" });
    await hub.publish("defined", [
      { type: "t", key: "a" },
      { type: "t", key: "a" },
    ]);
    const { status, body } = await hub.json("GET", "/v1/topics/defined");
    expect(status).toBe(200);
    const partitions = body["partitionStatus"] as LogStatus[];
    expect(partitions.map(({ partition }) => partition)).toEqual([0, 1]);
    const [holding, empty] = partitions.toSorted((left, right) => right.events - left.events);
    expect(holding).toMatchObject({ firstOffset: 1, lastOffset: 2, events: 2 });
    expect(holding!.bytes).toBeGreaterThan(200);
    expect(empty).toMatchObject({ firstOffset: 1, lastOffset: 0, events: 0, bytes: 0 });
  });

  it("[TOP-1] made again with the same or less to say are as they were; their retention may change", async () => {
    await hub.json("PUT", "/v1/topics/changed", { partitions: 2, index: "version" });
    const again = await hub.json("PUT", "/v1/topics/changed", { retention: { maxEvents: 5 } });
    expect(again.status).toBe(200);
    expect(again.body).toMatchObject({ partitions: 2, index: "version", retention: { maxEvents: 5 } });
  });

  it("[TOP-2] keep their partitions and their index for life", async () => {
    await hub.json("PUT", "/v1/topics/fixed", { partitions: 2 });
    for (const other of [{ partitions: 3 }, { index: "key" }]) {
      const { status, body } = await hub.json("PUT", "/v1/topics/fixed", other);
      expect([status, body["code"]]).toEqual([409, "topic_conflict"]);
    }
    expect((await hub.json("GET", "/v1/topics/fixed")).body).toMatchObject({ partitions: 2, index: "none" });
  });

  it("[TOP-2] made twice at once are made once: the other request changes the policy or is refused", async () => {
    const policies = [{ retention: { maxEvents: 5 } }, { retention: { maxEvents: 7 } }];
    for (let round = 0; round < 20; round += 1) {
      const path = `/v1/topics/twice.${round}`;
      const answers = await Promise.all(policies.map((policy) => hub.json("PUT", path, policy)));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 201]);
      const changed = answers.findIndex(({ status }) => status === 200);
      expect((await hub.json("GET", path)).body).toMatchObject(policies[changed]!);
    }
    const shapes = [{ partitions: 2 }, { partitions: 3 }];
    const answers = await Promise.all(shapes.map((shape) => hub.json("PUT", "/v1/topics/twice.shaped", shape)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    const made = answers.findIndex(({ status }) => status === 201);
    expect((await hub.json("GET", "/v1/topics/twice.shaped")).body).toMatchObject(shapes[made]!);
  });

  it("[TOP-3] are listed by name, page by page", async () => {
    for (const name of ["list.a", "list.b", "list.c"]) await hub.json("PUT", `/v1/topics/${name}`, {});
    const names: string[] = [];
    let cursor: string | null = "list.";
    while (cursor !== null && names.length < 100) {
      const query = new URLSearchParams({ limit: "2", cursor });
      const page: { items: { name: string }[]; cursor: string | null } = (
        await hub.json<{ items: { name: string }[]; cursor: string | null }>("GET", `/v1/topics?${query}`)
      ).body;
      names.push(...page.items.map(({ name }) => name));
      cursor = page.cursor;
    }
    expect(names.filter((name) => name.startsWith("list."))).toEqual(["list.a", "list.b", "list.c"]);
    expect(new Set(names).size).toBe(names.length);
  });

  it("[TOP-4] are made by a first publish or a first subscriber, and by no reader or look", async () => {
    for (const path of ["/v1/topics/unmade", "/v1/topics/unmade/events"]) {
      const { status, body } = await hub.json("GET", path);
      expect([status, body["code"]]).toEqual([404, "topic_not_found"]);
    }
    expect((await hub.json("DELETE", "/v1/topics/unmade")).status).toBe(404);
    const socket = await hub.connect();
    await socket.subscribe("unmade");
    expect((await hub.json("GET", "/v1/topics/unmade")).body).toMatchObject({
      partitions: 1,
      index: "none",
      retention: { maxAge: "30d" },
    });
    await socket.close();
  });

  it("[TOP-5] hold no more than their retention says", async () => {
    await hub.json("PUT", "/v1/topics/short", { retention: { maxEvents: 10 } });
    for (let round = 0; round < 5; round += 1) await hub.publish("short", drafts(20, round * 20 + 1));
    const page = await eventually(
      () => hub.read("short"),
      ({ events }) => events.length === 10,
      "ten events are left",
    );
    expect(dataOf(page.events)).toEqual(dataOf(drafts(10, 91)));
    expect((await hub.read("short", { from: "offset:50" })).gap).toEqual({
      partition: 0,
      requested: 50,
      firstHeld: 91,
      reason: "trimmed",
    });
  });
});

describe("a topic deleted and made again", () => {
  it("[TOP-6] shows nothing of its first life to any reader, whatever cursor it brings", async () => {
    await hub.publish("reborn", drafts(5));
    const { cursor } = await hub.read("reborn", { limit: 2 });
    const { body } = await hub.publish("reborn", { type: "t", id: "kept", data: 6 });
    expect((await hub.json("DELETE", "/v1/topics/reborn")).status).toBe(204);
    expect((await hub.json("GET", "/v1/topics/reborn/events")).status).toBe(404);
    expect((await hub.json("GET", `/v1/events/kept?topic=reborn`)).status).toBe(404);

    await hub.publish("reborn", drafts(3, 101));
    expect(dataOf((await hub.read("reborn")).events)).toEqual([101, 102, 103]);
    for (const old of [cursor, body.events[0]!.cursor]) {
      const page = await hub.read("reborn", { from: `cursor:${old}` });
      expect(page.gap).toMatchObject({ reason: "epoch" });
      expect(dataOf(page.events)).toEqual([101, 102, 103]);
    }
    expect((await hub.publish("reborn", { type: "t", id: "kept", data: "new" })).status).toBe(201);
    expect((await hub.json("GET", `/v1/events/kept?topic=reborn`)).body).toMatchObject({ data: "new", offset: 4 });
  });

  it("[TOP-7] is another topic to a socket: it is unsubscribed, and its old cursor meets a gap", async () => {
    const socket = await hub.connect();
    await socket.subscribe("reborn-live");
    await hub.publish("reborn-live", drafts(2));
    await socket.until(() => socket.events().length === 2, "two events");
    const cursor = socket.cursor("reborn-live")!;
    await hub.json("DELETE", "/v1/topics/reborn-live");
    await socket.message(({ op, topic }) => op === "unsubscribed" && topic === "reborn-live", "unsubscribed");
    await hub.publish("reborn-live", drafts(2, 101));
    await socket.subscribe("reborn-live", { from: `cursor:${cursor}` });
    await socket.until(() => socket.events().length === 4, "the events of the second life");
    expect(dataOf(socket.events())).toEqual([1, 2, 101, 102]);
    expect(socket.messages.find(({ op }) => op === "gap")).toMatchObject({ reason: "epoch", firstHeld: 1 });
    await socket.close();
  });

  it("[TOP-8] is another topic to a subscription: what it owed expires, the second life is delivered", async () => {
    const sink = await Sink.open(() => 500);
    const retry = { maxAttempts: 20, schedule: ["1s"] };
    const target = { kind: "webhook", url: sink.url };
    await hub.json("PUT", "/v1/subscriptions/reborn", { topics: ["reborn-owed"], target, retry });
    await hub.publish("reborn-owed", drafts(3));
    await sink.until(({ deliveries }) => deliveries.length >= 3, "three failed attempts");
    await hub.json("DELETE", "/v1/topics/reborn-owed");
    interface View {
      readonly stats: Record<string, number>;
    }
    const stats = async () => (await hub.json<View>("GET", "/v1/subscriptions/reborn")).body.stats;
    await eventually(stats, ({ owed, expired }) => owed === 0 && expired === 3, "what was owed has expired");
    sink.respond(() => 204);
    await hub.publish("reborn-owed", drafts(2, 101));
    await sink.until(({ accepted }) => accepted.length >= 2, "the events of the second life");
    const seen = await eventually(stats, ({ delivered }) => delivered === 2, "two delivered");
    expect(dataOf(sink.accepted.map(({ event }) => event)).toSorted()).toEqual([101, 102]);
    expect(seen).toMatchObject({ delivered: 2, expired: 3, owed: 0, lag: 0, matched: 5 });
    await hub.json("DELETE", "/v1/subscriptions/reborn");
    await sink.close();
  });
});
