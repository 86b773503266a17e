import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const upTo = (count: number, first = 1): number[] => Array.from({ length: count }, (_, index) => first + index);

/** The events of a stream until its first `caught_up`, their bodies as they came, and the cursor of each. */
async function readStream(topic: string, cursor: string | null): Promise<{ events: string[]; cursors: string[] }> {
  const headers = { accept: "text/event-stream", ...(cursor !== null && { "last-event-id": cursor }) };
  const response = await hub.request(`/v1/topics/${topic}/events`, { headers });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  while (!text.includes("event: caught_up")) text += (await reader.read()).value ?? "";
  await reader.cancel();
  const blocks = [...text.matchAll(/id: (.*)\nevent: event\ndata: (.*)\n/g)];
  return { events: blocks.map((block) => block[2]!), cursors: blocks.map((block) => block[1]!) };
}

describe("live", () => {
  it("[WS-15] sockets, streams, long polls and webhooks give the same events in the same order", async () => {
    const sink = await Sink.open();
    const target = { kind: "webhook", url: sink.url };
    await hub.json("PUT", "/v1/subscriptions/same", { topics: ["same"], target, maxInFlight: 1 });
    const socket = await hub.connect();
    await socket.subscribe("same");
    const stream = readStreamLive("same", 60);
    const polled: WireEvent[] = [];
    const polling = (async () => {
      for (let from = "earliest"; polled.length < 60;) {
        const page = await hub.read("same", { from, wait: "10s" });
        polled.push(...page.events);
        from = `cursor:${page.cursor}`;
      }
    })();
    for (let round = 0; round < 20; round += 1) {
      await hub.publish(
        "same",
        upTo(3).map((at) => ({ type: "t", data: { round, at, exact: 1 } })),
      );
    }
    await polling;
    await socket.until(() => socket.events().length >= 60, "60 events");
    await sink.until(({ accepted }) => accepted.length >= 60, "60 deliveries");
    const pages = await hub.readAll("same");
    expect(pages.map(({ offset }) => offset)).toEqual(upTo(60));
    expect(polled).toEqual(pages);
    expect(socket.events()).toEqual(pages);
    expect((await stream).map((text) => JSON.parse(text) as WireEvent)).toEqual(pages);
    const delivered = sink.accepted.map(({ event }) => event).toSorted((left, right) => left.offset - right.offset);
    expect(delivered).toEqual(pages);
    await socket.close();
    await hub.json("DELETE", "/v1/subscriptions/same");
    await sink.close();
  });

  it("[WS-16] a cursor of any surface resumes every other one", async () => {
    await hub.json("PUT", "/v1/topics/resumed", { partitions: 3 });
    await hub.publish(
      "resumed",
      upTo(40).map((data) => ({ type: "t", key: `k${data % 11}`, data })),
    );
    const page = await hub.read("resumed", { limit: 15 });
    const stream = await readStream("resumed", null);
    const socket = await hub.connect();
    await socket.subscribe("resumed", { from: "earliest" });
    await socket.message(({ op }) => op === "caught_up");
    const fromSocket = socket.messages.filter(({ op }) => op === "event");
    const seen: readonly { cursor: string; before: readonly number[] }[] = [
      { cursor: page.cursor, before: page.events.map(dataOf) },
      { cursor: stream.cursors[14]!, before: stream.events.slice(0, 15).map(dataOfText) },
      { cursor: fromSocket[14]!.cursor!, before: fromSocket.slice(0, 15).map(({ event }) => dataOf(event!)) },
    ];
    for (const { cursor, before } of seen) {
      const again = await hub.connect();
      await again.subscribe("resumed", { from: `cursor:${cursor}` });
      await again.message(({ op }) => op === "caught_up");
      const rests = [
        (await hub.read("resumed", { from: `cursor:${cursor}` })).events.map(dataOf),
        (await readStream("resumed", cursor)).events.map(dataOfText),
        again.events().map(dataOf),
      ];
      for (const rest of rests) expect([...before, ...rest].toSorted((left, right) => left - right)).toEqual(upTo(40));
      await again.close();
    }
    await socket.close();
  });

  it("[WS-17] puts several events into one frame when they come at once", async () => {
    const socket = await hub.connect();
    await socket.subscribe("burst");
    await hub.publish(
      "burst",
      upTo(90).map((data) => ({ type: "t", data })),
    );
    await socket.until(() => socket.events().length === 90, "90 events");
    expect(Math.max(...socket.frameSizes)).toBeGreaterThan(10);
    expect(Math.max(...socket.frameSizes)).toBeLessThanOrEqual(100);
    expect(socket.events().map(dataOf)).toEqual(upTo(90));
    await socket.close();
  });

  it("[WS-18] says welcome with its window, answers pings, and keeps the order of a client's messages", async () => {
    const socket = await hub.connect();
    expect(socket.messages[0]).toMatchObject({ op: "welcome", ackWindow: 1_000 });
    expect(socket.messages[0]!["connection"]).toMatch(/^[0-9a-f-]{36}$/);
    socket.send('{"op":"ping"}');
    await socket.message(({ op }) => op === "pong");
    socket.send({ op: "ping", ref: 1 });
    await socket.until((messages) => messages.filter(({ op }) => op === "pong").length === 2, "a second pong");
    socket.send(upTo(20).map((at) => ({ op: "publish", topic: "ordered", ref: at, event: { type: "t", data: at } })));
    await socket.until((messages) => messages.filter(({ op }) => op === "published").length === 20, "20 receipts");
    expect((await hub.read("ordered")).events.map(dataOf)).toEqual(upTo(20));
    await socket.close(4001);
    expect((await socket.closed).code).toBe(4001);
  });

  it("[WS-1] outlives a kill of the runtime: a reader that comes back with its cursor misses nothing", async () => {
    const before = await hub.connect();
    await before.subscribe("killed");
    await hub.publish(
      "killed",
      upTo(5).map((data) => ({ type: "t", data })),
    );
    await before.until(() => before.events().length === 5, "five events");
    const cursor = before.cursor("killed")!;
    await hub.killRuntime();
    await before.closed;
    await hub.publish(
      "killed",
      upTo(5, 6).map((data) => ({ type: "t", data })),
    );
    const after = await hub.connect();
    await after.subscribe("killed", { from: `cursor:${cursor}` });
    await eventually(
      () => after.events("killed").length,
      (count) => count === 5,
      "the five that were missed",
    );
    expect(after.events().map(dataOf)).toEqual(upTo(5, 6));
    await after.close();
  });
});

const dataOf = (event: WireEvent): number => event.data as number;
const dataOfText = (text: string): number => dataOf(JSON.parse(text) as WireEvent);

/** So many events of a stream as they come, live. */
async function readStreamLive(topic: string, count: number): Promise<string[]> {
  const response = await hub.request(`/v1/topics/${topic}/events`, { headers: { accept: "text/event-stream" } });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  const events: string[] = [];
  let text = "";
  while (events.length < count) {
    text += (await reader.read()).value ?? "";
    const blocks = text.split("\n\n");
    text = blocks.pop()!;
    events.push(...blocks.flatMap((block) => /event: event\ndata: (.*)/.exec(block)?.[1] ?? []));
  }
  await reader.cancel();
  return events;
}
