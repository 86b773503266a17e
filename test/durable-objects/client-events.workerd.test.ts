import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import type { RelayedEvent } from "../../src/core/client-event.ts";
import { lifeOf } from "../../src/worker/topic-life.ts";
import { HubWorld } from "../builders/hub-world.ts";
import type { HubClient } from "../builders/hub-client.ts";
import { makeAppend, makeDrafts, valueOf } from "../builders/log.ts";
import { migrateDatabase } from "../builders/objects.ts";

let world: HubWorld;

beforeAll(migrateDatabase);
beforeEach(() => {
  world = new HubWorld();
});
afterEach(() => world.close());

const signals = (client: HubClient): unknown[] =>
  client.messages.filter(({ op }) => op === "client_event").map(({ event }) => event!.data);

const signal = (data: number) => ({ op: "publish", topic: "private-a", event: { type: "client-x", data } });

it("[CHN-4] client events go on over evictions of the hub and of the log", async () => {
  const [sender, reader] = [await world.connect(), await world.connect()];
  for (const client of [sender, reader]) await client.subscribe("private-a");
  await world.evict();
  await sender.ask(signal(1));
  await reader.until(() => signals(reader).length === 1, "the first");
  await evictDurableObject(world.log("private-a"));
  await sender.ask(signal(2));
  await world.evict();
  await sender.ask(signal(3));
  await reader.until(() => signals(reader).length === 3, "all");
  expect([signals(reader), signals(sender)]).toEqual([[1, 2, 3], []]);
});

it("[CHN-5] a client event is one however its type is spelled", async () => {
  const [sender, topic] = [await world.connect(), await world.makeTopic("open")];
  await sender.subscribe("open");
  const event = '{ "type": "\\u0063lient-x", "data": 1 }';
  sender.sendText(`{ "op": "publish", "ref": "x", "topic": "open", "event": ${event} }`);
  await sender.until(() => sender.messages.some(({ ref }) => ref === "x"), "an answer");
  const refused = { op: "error", problem: { code: "client_event_refused" } };
  expect(sender.messages.find(({ ref }) => ref === "x")).toMatchObject(refused);
  expect(valueOf(await world.log("open").status(lifeOf(topic))).events).toBe(0);
});

it("[CHN-8] an exclusion holds after an eviction, and in what is read because a push was lost", async () => {
  const [own, other] = [await world.connect(), await world.connect()];
  for (const client of [own, other]) await client.subscribe("board");
  const publish = (data: number, echo: boolean) =>
    own.ask({ op: "publish", topic: "board", event: { type: "moved", data }, echo });
  await publish(1, true);
  await other.until(() => other.offsets().length === 1, "the first");
  await world.losePushes("board");
  await publish(2, false);
  await world.evict();
  await world.restorePushes(await world.makeTopic("board"));
  await publish(3, true);
  await other.until(() => other.offsets().length === 3, "all");
  await own.until(() => own.offsets().length === 2, "what is not its own");
  expect([own.offsets(), other.offsets()]).toEqual([
    [1, 3],
    [1, 2, 3],
  ]);
});

it("[CHN-4] a client event that meets a push under way goes behind what came before it, and before what comes", async () => {
  const topic = await world.makeTopic("private-a");
  const reader = await world.connect();
  await reader.subscribe("private-a");
  const event: RelayedEvent = { line: '{"type":"client-x","data":0}', sender: "nobody", user: null };
  const append = async () => valueOf(await log.append(makeAppend(makeDrafts(2), { life: lifeOf(topic) })));
  const log = world.log("private-a");
  const busy = runInDurableObject(world.hub, (_hub, state) => state.blockConcurrencyWhile(() => scheduler.wait(300)));
  await append(); // Its push waits for the hub.
  valueOf(await log.relay(lifeOf(topic), event));
  await append();
  await busy;
  await reader.until(() => reader.offsets().length === 4 && signals(reader).length === 1, "everything");
  const seen = reader.messages.filter(({ op }) => op === "event" || op === "client_event");
  expect(seen.map((message) => message.event!.offset ?? message.op)).toEqual([1, 2, "client_event", 3, 4]);
});
