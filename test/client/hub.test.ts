/** The client library against a real hub, over a network that is pulled. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import {
  createHub,
  defineEvent,
  defineTopic,
  TidingsError,
  type Hub as Client,
  type Item,
} from "../../src/client/client.ts";
import type { AnyDefinition } from "../../src/client/event-definition.ts";
import { systemClock } from "../../src/client/platform.ts";
import { CuttableProxy } from "../harness/cuttable-proxy.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { seededRandom } from "../harness/random.ts";
import { eventually, pause } from "../harness/wait.ts";

const SEED = Number(process.env["CLIENT_SEED"] ?? Date.now() % 1_000_000);

let hub: Hub;
let network: CuttableProxy;
const clients: Client[] = [];

beforeAll(async () => {
  hub = await startHub();
  network = await CuttableProxy.open(hub.url);
});
afterEach(() => {
  network.mend();
  for (const client of clients.splice(0)) client.close();
});
afterAll(async () => {
  await network.close();
  await hub.close();
});

function connect(options: Partial<Parameters<typeof createHub>[0]> = {}): Client {
  const client = createHub({ url: network.url, token: ROOT_KEY, ...options });
  client.onError(() => undefined);
  clients.push(client);
  return client;
}

const upTo = (count: number, first = 1): number[] => Array.from({ length: count }, (_, index) => first + index);

/** Items until one satisfies the test, that one included. */
async function collect<Definition extends AnyDefinition>(
  items: AsyncIterable<Item<Definition>>,
  until: (item: Item<Definition>, seen: readonly Item<Definition>[]) => boolean,
): Promise<Item<Definition>[]> {
  const seen: Item<Definition>[] = [];
  for await (const item of { [Symbol.asyncIterator]: () => keepOpen(items[Symbol.asyncIterator]()) }) {
    seen.push(item);
    if (until(item, seen)) break;
  }
  return seen;
}

/** So that leaving a loop does not end the subscription. */
const keepOpen = <Value>(items: AsyncIterator<Value>): AsyncIterator<Value> => ({ next: () => items.next() });

const isLive = (item: Item<AnyDefinition>): boolean => item.kind === "state" && item.state === "live";
const numbersIn = (items: readonly Item<AnyDefinition>[]): unknown[] =>
  items.flatMap((item) => (item.kind === "event" ? [(item.event.data as { n: number }).n] : []));

describe("reading one's own writes", () => {
  it("[CLI-19] waits until a subscription has settled a receipt's event, or says that it has not", async () => {
    const client = connect();
    await hub.json("PUT", "/v1/subscriptions/shelf", { topics: ["books"], target: { kind: "pull" } });
    const receipt = await client.publish("books", { type: "book.bought", data: { n: 1 } });
    expect(await client.settled("shelf", receipt, { waitMs: 100 })).toBe(false);
    const waits = client.settled("shelf", receipt, { waitMs: 60_000 });
    const pulled = await hub.json<{ deliveries: { id: string; lease: string }[] }>(
      "POST",
      "/v1/subscriptions/shelf/pull",
      {},
    );
    const acks = pulled.body.deliveries.map(({ id, lease }) => ({ id, lease }));
    await hub.json("POST", "/v1/subscriptions/shelf/ack", { acks });
    expect(await waits).toBe(true);
    await expect(client.settled("nobody", receipt)).rejects.toMatchObject({ code: "subscription_not_found" });
  });
});

describe("publishing", () => {
  it("[CLI-1] appends each event once and in order, though the network goes while they are sent", async () => {
    const random = seededRandom(SEED);
    const client = connect();
    const receipts: Promise<unknown>[] = [];
    for (const n of upTo(300)) {
      receipts.push(client.publish("out", { type: "t", data: { n } }));
      if (n % 40 === 0) network.drop();
      if (random() < 0.2) await pause(1);
    }
    await Promise.all(receipts);
    expect(client.pending).toBe(0);
    const events = await hub.readAll("out");
    expect(
      events.map(({ data }) => (data as { n: number }).n),
      `CLIENT_SEED=${SEED}`,
    ).toEqual(upTo(300));
  });

  it("[CLI-1] keeps what is published offline, and sends it when the hub is there again", async () => {
    const client = connect();
    network.cut();
    const receipts = upTo(20).map((n) => client.publish("offline", { type: "t", data: { n } }));
    await pause(100);
    expect(client.pending).toBe(20);
    network.mend();
    client.wake();
    const offsets = (await Promise.all(receipts)).map(({ offset }) => offset);
    expect(offsets).toEqual(upTo(20));
    await client.flush();
  });

  it("[CLI-2] takes no more than fits its outbox, and tells those who wait when it is closed", async () => {
    const client = connect({ outboxMax: 2 });
    network.cut();
    const waiting = upTo(2).map((n) => client.publish("bounded", { type: "t", data: { n } }));
    await expect(client.publish("bounded", { type: "t", data: {} })).rejects.toMatchObject({
      code: "outbox_full",
      retryable: true,
    });
    client.close();
    for (const receipt of waiting) await expect(receipt).rejects.toMatchObject({ code: "hub_closed" });
    expect(client.pending).toBe(0);
  });

  it("[CLI-2] refuses a bad event alone, and its neighbours are appended in order", async () => {
    const client = connect();
    const receipts = upTo(5).map((n) => client.publish("mixed", { type: n === 3 ? "" : "t", data: { n } }));
    const outcomes = await Promise.allSettled(receipts);
    expect(outcomes.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "fulfilled",
      "fulfilled",
    ]);
    await expect(receipts[2]).rejects.toMatchObject({ code: "event_invalid", retryable: false });
    expect((await hub.readAll("mixed")).map(({ data }) => (data as { n: number }).n)).toEqual([1, 2, 4, 5]);
  });
});

describe("following", () => {
  it("[CLI-3] gives every event once and in order over drops, and says what it missed of the connection", async () => {
    const client = connect();
    await client.publish("in", { type: "t", data: { n: 0 } });
    const subscription = client.subscribe("in", { from: "earliest" });
    const reading = collect(subscription, (item) => numbersIn([item])[0] === 200);
    for (const n of upTo(200)) {
      await hub.publish("in", { type: "t", data: { n } });
      if (n % 50 === 25) network.drop();
    }
    const items = await reading;
    expect(numbersIn(items)).toEqual([0, ...upTo(200)]);
    const states = items.flatMap((item) => (item.kind === "state" ? [item.state] : []));
    expect(states.slice(0, 3)).toEqual(["connecting", "catching_up", "live"]);
    expect(states).toContain("lost");
    await subscription.return();
  });

  it("[CLI-3] says gap, once, where what it asked for is gone", async () => {
    const client = connect();
    const { cursor } = await client.publish("reborn", { type: "t", data: { n: 1 } });
    await hub.json("DELETE", "/v1/topics/reborn");
    await client.publish("reborn", { type: "t", data: { n: 2 } });
    const subscription = client.subscribe("reborn", { from: `cursor:${cursor}` });
    const items = await collect(subscription, isLive);
    expect(items.filter(({ kind }) => kind === "gap")).toMatchObject([{ gap: { requested: 2, reason: "epoch" } }]);
    expect(numbersIn(items)).toEqual([2]);
    network.drop();
    await client.publish("reborn", { type: "t", data: { n: 3 } });
    const later = await collect(subscription, ({ kind }) => kind === "event");
    expect(later.map(({ kind }) => kind).filter((kind) => kind !== "state")).toEqual(["event"]);
  });

  it("[CLI-3] resumes elsewhere by the cursor of an item, a page or a receipt", async () => {
    const client = connect();
    const receipts = await Promise.all(upTo(9).map((n) => client.publish("cursors", { type: "t", data: { n } })));
    const page = await client.history("cursors", { limit: 3 });
    expect(page.caughtUp).toBe(false);
    const fromPage = await collect(client.subscribe("cursors", { from: `cursor:${page.cursor}` }), isLive);
    expect(numbersIn(fromPage)).toEqual(upTo(6, 4));
    const fifth = fromPage.find((item) => item.kind === "event" && item.event.offset === 5) as { cursor: string };
    const fromItem = await client.history("cursors", { from: `cursor:${fifth.cursor}` });
    expect(fromItem.events.map(({ offset }) => offset)).toEqual(upTo(4, 6));
    const fromReceipt = await client.history("cursors", { from: `cursor:${receipts[7]!.cursor}` });
    expect(fromReceipt.events.map(({ offset }) => offset)).toEqual([9]);
  });

  it("[CLI-4] shares one socket among readers of many topics, and opens another for one that begins elsewhere", async () => {
    const sockets: WebSocket[] = [];
    const Counted = class extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol);
        sockets.push(this);
      }
    };
    const client = connect({ WebSocket: Counted as never });
    for (const n of upTo(3)) await client.publish("shared", { type: "t", data: { n } });
    const live = client.subscribe("shared");
    await collect(live, isLive);
    const second = client.subscribe("shared");
    await collect(client.subscribe("other"), isLive);
    expect(sockets).toHaveLength(1);
    expect(numbersIn(await collect(client.subscribe("shared", { from: "earliest" }), isLive))).toEqual([1, 2, 3]);
    expect(sockets).toHaveLength(2);
    await client.publish("shared", { type: "t", data: { n: 4 } });
    for (const reader of [live, second]) {
      expect(numbersIn(await collect(reader, ({ kind }) => kind === "event"))).toEqual([4]);
    }
  });

  it("[CLI-5] holds no more for a reader that stalls than its share, loses it nothing, and delays nobody", async () => {
    const client = connect();
    const stalled = client.subscribe("busy");
    await collect(stalled, isLive);
    let heard = 0;
    client.on("busy", "t", () => {
      heard += 1;
    });
    for (const at of upTo(10)) {
      await hub.publish(
        "busy",
        upTo(300, (at - 1) * 300 + 1).map((n) => ({ type: "t", data: { n } })),
      );
    }
    await eventually(
      () => heard,
      (count) => count === 3_000,
      "the other reader has everything",
    );
    const items = await collect(stalled, (item) => numbersIn([item])[0] === 3_000);
    expect(numbersIn(items)).toEqual(upTo(3_000));
    // It has left and come back, which is how the memory was spared.
    expect(items.filter((item) => item.kind === "state" && item.state === "catching_up")).not.toEqual([]);
  });

  it("[CLI-9] ends with the hub's reason: a topic that is deleted, a scope that is missing", async () => {
    const client = connect();
    const deleted = client.subscribe("doomed");
    await collect(deleted, isLive);
    await hub.json("DELETE", "/v1/topics/doomed");
    await expect(collect(deleted, () => false)).rejects.toMatchObject({ code: "topic_not_found", retryable: false });
    const { body } = await hub.json<{ token: string }>("POST", "/v1/tokens", { scopes: ["subscribe:mine"] });
    const narrow = connect({ token: body.token });
    await expect(collect(narrow.subscribe("theirs"), () => false)).rejects.toBeInstanceOf(TidingsError);
    await expect(narrow.publish("mine", { type: "t", data: null })).rejects.toMatchObject({
      code: "scope_missing",
      problem: { status: 403 },
    });
  });
});

describe("types at run time", () => {
  const said = defineEvent("said", z.object({ text: z.string(), loud: z.boolean().default(false) }));
  const moved = defineEvent("moved", z.object({ to: z.string().transform(Number) }));
  const room = defineTopic("rooms/:id", [said, moved]);

  it("[CLI-7] judges data on its way out and in, and gives what a schema makes of it", async () => {
    const client = connect();
    const topic = room({ id: "7" });
    const heard: unknown[] = [];
    const errors: unknown[] = [];
    const stop = client.on(topic, said, ({ data }) => void heard.push(data), { error: (error) => errors.push(error) });
    const items = client.subscribe(topic);
    await collect(items, isLive);
    await expect(client.publish(topic, { type: "said", data: { text: 1 as never } })).rejects.toMatchObject({
      code: "data_invalid",
      issues: [{ path: ["text"] }],
    });
    await client.publish(topic, said({ text: "hello" }));
    await client.publish(topic, moved({ to: "12" }));
    await hub.publish("rooms.7", { type: "said", data: { text: null } });
    await hub.publish("rooms.7", { type: "unknown", data: 1 });
    const seen = await collect(items, (item) => item.kind === "unfit" && item.event.type === "unknown");
    expect(seen).toMatchObject([
      { kind: "event", event: { type: "said", data: { text: "hello", loud: false } } },
      { kind: "event", event: { type: "moved", data: { to: 12 } } },
      { kind: "unfit", event: { type: "said", data: { text: null } }, issues: [{ path: ["text"] }] },
      { kind: "unfit", issues: [] },
    ]);
    await eventually(
      () => errors.length,
      (count) => count === 1,
      "the misfit is reported",
    );
    expect(heard).toEqual([{ text: "hello", loud: false }]);
    expect(errors).toMatchObject([{ code: "data_invalid" }]);
    stop();
  });
});

describe("credentials", () => {
  const tokenOf = async (ttl: string, scopes = ["subscribe:**"]): Promise<string> => {
    const { body } = await hub.json<{ token: string }>("POST", "/v1/tokens", { scopes, user: { id: "ada" }, ttl });
    return body.token;
  };

  it("[CLI-6] shows a fresh token on the open socket before the last one ends", async () => {
    const tokens: string[] = [];
    const client = connect({
      clock: { ...systemClock, after: (ms, work) => systemClock.after(ms / 10, work) },
      getToken: async () => {
        tokens.push(await tokenOf("2s"));
        return tokens.at(-1)!;
      },
    });
    const states: string[] = [];
    client.onState((state) => states.push(state));
    const subscription = client.subscribe("renewed");
    await collect(subscription, isLive);
    await eventually(
      () => tokens.length,
      (count) => count >= 2,
      "a second token",
      10_000,
    );
    await pause(2_000); // Beyond the end of the first.
    await hub.publish("renewed", { type: "t", data: { n: 1 } });
    expect(numbersIn(await collect(subscription, ({ kind }) => kind === "event"))).toEqual([1]);
    expect(states).toEqual(["connecting", "open"]);
  });

  it("[CLI-6] comes back with another token when one has ended, for sockets and requests", async () => {
    let asked = 0;
    const expired = await tokenOf("1s", ["subscribe:**", "publish:**"]);
    await pause(1_100);
    const getToken = () => ((asked += 1) === 1 ? expired : tokenOf("1m", ["subscribe:**", "publish:**"]));
    const client = connect({ getToken });
    const { offset } = await client.publish("again", { type: "t", data: {} });
    expect([offset, asked]).toEqual([1, 2]);
    asked = 0;
    const other = connect({ getToken });
    await collect(other.subscribe("again"), isLive);
    expect(asked).toBe(2);
  });

  it("[CLI-9] says why it is not let in, and does not come again", async () => {
    const client = connect({ token: "nobody" });
    await expect(collect(client.subscribe("x"), () => false)).rejects.toMatchObject({ code: "unauthenticated" });
    expect(client.state).toBe("closed");
    const revoked = await tokenOf("1m");
    const other = connect({ token: revoked });
    const subscription = other.subscribe("x");
    await collect(subscription, isLive);
    await hub.json("POST", "/v1/revocations", { user: "ada" });
    await expect(collect(subscription, () => false)).rejects.toMatchObject({ code: "credential_revoked" });
  });
});
