/**
 * One list of what programs rely on, run against the real hub and against the hub of `tidings/testing`: so a test that
 * passes with the one means something for the other.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { createHub, type Hub as Client, type Item } from "../../src/client/client.ts";
import type { AnyDefinition } from "../../src/client/event-definition.ts";
import { createTestHub, type TestHub } from "../../src/testing/test-hub.ts";
import { CuttableProxy } from "../harness/cuttable-proxy.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { pause } from "../harness/wait.ts";

interface World {
  start(): Promise<void>;
  connect(user?: string): Promise<Client>;
  /** Ends every connection. */
  drop(): void;
  cut(): void;
  mend(): void;
  deleteTopic(topic: string): Promise<void>;
  /** Lets something happen that somebody waits for. */
  turn(): Promise<void>;
  leave(): void;
  stop(): Promise<void>;
}

class RealWorld implements World {
  #hub!: Hub;
  #network!: CuttableProxy;
  #clients: Client[] = [];

  async start(): Promise<void> {
    this.#hub = await startHub();
    this.#network = await CuttableProxy.open(this.#hub.url);
  }

  async connect(user = "ada"): Promise<Client> {
    const scopes = ["publish:**", "subscribe:open", "subscribe:open-*", "subscribe:private-*", "subscribe:presence-*"];
    const asked = { scopes: [...scopes, "presence:presence-*"], user: { id: user, data: { name: user } } };
    const { body } = await this.#hub.json<{ token: string }>("POST", "/v1/tokens", asked);
    const client = createHub({ url: this.#network.url, token: body.token });
    this.#clients.push(client);
    return client;
  }

  drop(): void {
    this.#network.drop();
  }

  cut(): void {
    this.#network.cut();
  }

  mend(): void {
    this.#network.mend();
  }

  async deleteTopic(topic: string): Promise<void> {
    await this.#hub.json("DELETE", `/v1/topics/${topic}`);
  }

  turn(): Promise<void> {
    return pause(10);
  }

  leave(): void {
    for (const client of this.#clients.splice(0)) client.close();
  }

  async stop(): Promise<void> {
    await this.#network.close();
    await this.#hub.close();
  }
}

class TestWorld implements World {
  #hub!: TestHub;

  async start(): Promise<void> {
    this.#hub = createTestHub({ allows: (action, topic) => action === "publish" || !topic.startsWith("closed") });
  }

  async connect(user = "ada"): Promise<Client> {
    return this.#hub.connect({ id: user, data: { name: user } });
  }

  drop(): void {
    this.#hub.drop();
  }

  cut(): void {
    this.#hub.cut();
  }

  mend(): void {
    this.#hub.mend();
  }

  async deleteTopic(topic: string): Promise<void> {
    this.#hub.deleteTopic(topic);
  }

  turn(): Promise<void> {
    return this.#hub.advance(100);
  }

  leave(): void {
    this.#hub.close();
  }

  async stop(): Promise<void> {}
}

const WITHIN_MS = 12_000;

describe.each([
  ["the hub", new RealWorld()],
  ["the test hub", new TestWorld()],
])("%s", (_name, world: World) => {
  beforeAll(() => world.start());
  afterEach(() => {
    world.mend();
    world.leave();
  });
  afterAll(() => world.stop());

  /** Lets things happen until this settles. */
  async function soon<Value>(promise: Promise<Value>): Promise<Value> {
    const outcomes: PromiseSettledResult<Value>[] = [];
    void Promise.allSettled([promise]).then(([outcome]) => outcomes.push(outcome!));
    await until(() => outcomes.length > 0);
    return promise;
  }

  async function until(test: () => boolean): Promise<void> {
    const deadline = Date.now() + WITHIN_MS;
    while (!test()) {
      if (Date.now() > deadline) throw new Error("it did not come true in time");
      await world.turn();
    }
  }

  /** Keeps what a subscription gives, until the end of the test. */
  function record(items: AsyncIterable<Item<AnyDefinition>>): {
    items: Item<AnyDefinition>[];
    ended: Promise<unknown>;
  } {
    const seen: Item<AnyDefinition>[] = [];
    const ended = (async () => {
      try {
        for await (const item of items) seen.push(item);
        return null;
      } catch (error) {
        return error;
      }
    })();
    return { items: seen, ended };
  }

  const states = (items: readonly Item<AnyDefinition>[]) =>
    items.flatMap((item) => (item.kind === "state" ? [item.state] : []));
  const data = (items: readonly Item<AnyDefinition>[]) =>
    items.flatMap((item) => (item.kind === "event" ? [item.event.data] : []));
  const isLive = (items: readonly Item<AnyDefinition>[]) => states(items).at(-1) === "live";

  it("[CLI-14] answers a publish with its place, and a repeat with the same", async () => {
    const client = await world.connect();
    const first = await soon(client.publish("open", { type: "t", data: 1 }, { id: "one", key: "k" }));
    const again = await soon(client.publish("open", { type: "t", data: 1 }, { id: "one", key: "k" }));
    expect(first).toMatchObject({ id: "one", topic: "open", partition: 0, offset: 1, duplicate: false });
    expect(again).toEqual({ ...first, duplicate: true });
    const other = client.publish("open", { type: "t", data: 2 }, { id: "one", key: "k" });
    await expect(soon(other)).rejects.toMatchObject({ code: "event_id_conflict", retryable: false });
    await expect(soon(client.publish("open", { type: "", data: 2 }))).rejects.toMatchObject({ code: "event_invalid" });
    await expect(soon(client.publish("no/topic", { type: "t", data: 2 }))).rejects.toMatchObject({
      code: "topic_name_invalid",
    });
  });

  it("[CLI-14] gives the backlog, then what is live, in order and with its attributes", async () => {
    const client = await world.connect();
    for (const n of [1, 2, 3]) await soon(client.publish("open-a", { type: "t", data: n }, { key: "k", subject: "s" }));
    const reader = record(client.subscribe("open-a", { from: "offset:2" }));
    await until(() => isLive(reader.items));
    await soon(client.publish("open-a", { type: "t", data: 4 }));
    await until(() => data(reader.items).length === 3);
    expect(data(reader.items)).toEqual([2, 3, 4]);
    expect(states(reader.items)).toEqual(["connecting", "catching_up", "live"]);
    const [event] = reader.items.flatMap((item) => (item.kind === "event" ? [item.event] : []));
    expect(event).toMatchObject({ specversion: "1.0", type: "t", partitionkey: "k", subject: "s", offset: 2 });
    const attributes =
      "appendedat data datacontenttype id offset partition partitionkey source specversion subject time topic type";
    expect(Object.keys(event!).toSorted()).toEqual(attributes.split(" "));
  });

  it("[CLI-14] loses nothing over a drop, and sends what was published meanwhile", async () => {
    const [client, other] = [await world.connect(), await world.connect("eve")];
    const reader = record(client.subscribe("open-b", { from: "earliest" }));
    await until(() => isLive(reader.items));
    world.cut();
    await until(() => states(reader.items).at(-1) !== "live");
    const waiting = [1, 2, 3].map((n) => other.publish("open-b", { type: "t", data: n }));
    await world.turn();
    expect(other.pending).toBe(3);
    world.mend();
    await soon(Promise.all(waiting));
    await until(() => isLive(reader.items) && data(reader.items).length === 3);
    expect(data(reader.items)).toEqual([1, 2, 3]);
    expect(states(reader.items)).toContain("lost");
  });

  it("[CLI-14] pages, filters and resumes by cursor", async () => {
    const client = await world.connect();
    for (const n of [1, 2, 3, 4]) await soon(client.publish("open-c", { type: n % 2 === 0 ? "even" : "odd", data: n }));
    const page = await soon(client.history("open-c", { limit: 2 }));
    expect([page.events.map((event) => event.data), page.caughtUp]).toEqual([[1, 2], false]);
    const rest = await soon(client.history("open-c", { from: `cursor:${page.cursor}` }));
    expect([rest.events.map((event) => event.data), rest.caughtUp]).toEqual([[3, 4], true]);
    const reader = record(client.subscribe("open-c", { from: "earliest", filter: { type: ["even"] } }));
    await until(() => isLive(reader.items));
    expect(data(reader.items)).toEqual([2, 4]);
    await expect(soon(client.history("open-none"))).rejects.toMatchObject({ code: "topic_not_found" });
  });

  it("[CLI-14] says gap for a cursor of a life that is over, and for an offset that is not there yet", async () => {
    const client = await world.connect();
    const { cursor } = await soon(client.publish("open-d", { type: "t", data: 1 }));
    await world.deleteTopic("open-d");
    await soon(client.publish("open-d", { type: "t", data: 2 }));
    for (const [from, gap] of [
      [`cursor:${cursor}`, { partition: 0, requested: 2, firstHeld: 1, reason: "epoch" }],
      ["offset:9", { partition: 0, requested: 9, firstHeld: 1, reason: "ahead" }],
    ] as const) {
      const reader = record((await world.connect()).subscribe("open-d", { from }));
      await until(() => isLive(reader.items));
      expect(reader.items.filter(({ kind }) => kind === "gap")).toEqual([{ kind: "gap", gap }]);
    }
  });

  it("[CLI-14] ends a subscription with its reason", async () => {
    const client = await world.connect();
    const closed = record(client.subscribe("closed"));
    expect(await soon(closed.ended)).toMatchObject({ code: "scope_missing", retryable: false });
    const doomed = record(client.subscribe("open-e"));
    await until(() => isLive(doomed.items));
    await world.deleteTopic("open-e");
    expect(await soon(doomed.ended)).toMatchObject({ code: "topic_not_found" });
    const left = record(client.subscribe("open-f"));
    client.close();
    expect(await soon(left.ended)).toMatchObject({ code: "hub_closed" });
  });

  it("[CLI-14, CLI-18] keeps an event from its own publisher, and from the connection that it names", async () => {
    const [ada, eve] = [await world.connect("ada"), await world.connect("eve")];
    const seen = [ada, eve].map((client) => record(client.subscribe("open-others")).items);
    await until(() => seen.every(isLive));
    await soon(ada.publish("open-others", { type: "t", data: "to others" }, { toOthers: true }));
    await soon(ada.publish("open-others", { type: "t", data: "to nobody there" }, { exclude: "nobody" }));
    await soon(eve.publish("open-others", { type: "t", data: "to all" }));
    await until(() => seen.every((items) => data(items).includes("to all")));
    expect(seen.map(data)).toEqual([
      ["to nobody there", "to all"],
      ["to others", "to nobody there", "to all"],
    ]);
  });

  it("[CLI-14] passes signals on to the others, and keeps none", async () => {
    const [ada, eve] = [await world.connect("ada"), await world.connect("eve")];
    const [own, other] = [record(ada.subscribe("presence-g")), record(eve.subscribe("presence-g"))];
    await until(() => isLive(own.items) && isLive(other.items));
    await soon(ada.signal("presence-g", { type: "client-typing", data: { at: 1 } }));
    await until(() => data(other.items).length === 1);
    expect(other.items.at(-1)).toMatchObject({
      kind: "event",
      cursor: undefined,
      event: { type: "client-typing", data: { at: 1 }, offset: 0, user: "ada" },
    });
    expect(data(own.items)).toEqual([]);
    expect((await soon(ada.history("presence-g"))).events).toEqual([]);
    const open = record(ada.subscribe("open-g"));
    await until(() => isLive(open.items));
    await expect(soon(ada.signal("open-g", { type: "client-typing", data: 1 }))).rejects.toMatchObject({
      code: "client_event_refused",
    });
  });

  it("[CLI-14, CLI-15] shows members from a snapshot on, one a user, with what the token vouches for", async () => {
    const [ada, eve, again] = [await world.connect("ada"), await world.connect("eve"), await world.connect("eve")];
    await soon(ada.presence.enter("presence-h", { mood: "calm", name: "nobody" }));
    const told: unknown[] = [];
    const people: string[][] = [];
    eve.presence.subscribe("presence-h", (members, change) => {
      told.push(change === null ? null : [change.kind, change.member.id]);
      people.push(members.map(({ id, data: shown }) => `${id}:${JSON.stringify(shown)}`).toSorted());
    });
    await until(() => told.length > 0);
    const calm = 'ada:{"name":"ada","mood":"calm"}';
    expect([told, people.at(-1)?.map(sortMembers)]).toEqual([[null], [sortMembers(calm)]]);
    await soon(eve.presence.enter("presence-h"));
    await soon(again.presence.enter("presence-h"));
    await soon(ada.presence.update("presence-h", { mood: "glad" }));
    await until(() => told.length >= 3 && people.at(-1)!.some((person) => person.includes("glad")));
    expect(people.at(-1)!.map((person) => person.slice(0, 3))).toEqual(["ada", "eve"]);
    again.presence.leave("presence-h");
    ada.presence.leave("presence-h");
    await until(() => people.at(-1)!.length === 1);
    expect(told.at(-1)).toEqual(["removed", "ada"]);
    expect(told.filter((change) => JSON.stringify(change) === '["removed","eve"]')).toEqual([]);
    await expect(soon(ada.presence.update("presence-h", 1))).rejects.toMatchObject({ code: "not_present" });
  });

  it("[CLI-14, CLI-15] is present again after a loss, and follows on where it may not be present", async () => {
    const [ada, eve] = [await world.connect("ada"), await world.connect("eve")];
    const present = new Map<Client, string[]>();
    for (const client of [ada, eve]) {
      client.presence.subscribe("presence-i", (members) => present.set(client, members.map(({ id }) => id).toSorted()));
      await soon(client.presence.enter("presence-i"));
    }
    const reader = record(eve.subscribe("presence-i"));
    await until(() => isLive(reader.items) && present.get(ada)?.length === 2);
    world.drop();
    await until(() => states(reader.items).at(-1) !== "live");
    await soon(ada.publish("presence-i", { type: "t", data: "meanwhile" }));
    await until(() => isLive(reader.items) && data(reader.items).length === 1);
    await until(() => present.get(ada)?.length === 2 && present.get(eve)?.length === 2);
    const open = record(eve.subscribe("open-i"));
    await until(() => isLive(open.items));
    await expect(soon(eve.presence.enter("open-i"))).rejects.toMatchObject({ code: "presence_not_offered" });
    await soon(ada.publish("open-i", { type: "t", data: "all the same" }));
    await until(() => data(open.items).length === 1);
  });
});

/** `id:JSON` with its members in order. */
function sortMembers(person: string): string {
  const at = person.indexOf(":") + 1;
  const shown = Object.entries(JSON.parse(person.slice(at)) as object).toSorted();
  return person.slice(0, at) + JSON.stringify(Object.fromEntries(shown));
}
