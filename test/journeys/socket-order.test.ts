import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const count = (length: number): number[] => Array.from({ length }, (_, index) => index + 1);

describe("one socket's messages", () => {
  it("[WS-18] keep their order, also where the first has to make its topic", async () => {
    const socket = await hub.connect();
    for (const round of [1, 2, 3]) {
      const topic = `ordered-${round}`;
      for (const n of count(10)) socket.send({ op: "publish", ref: n, topic, event: { type: "n", data: n } });
      const published = () => socket.messages.filter(({ op }) => op === "published").length;
      await socket.until(() => published() === round * 10, "ten receipts");
      expect((await hub.readAll(topic)).map(({ data }) => data)).toEqual(count(10));
    }
    await socket.close();
  });

  it("[WS-9] an unsubscribe sent behind a subscribe ends it", async () => {
    await hub.publish("brief", [{ type: "old" }]);
    const socket = await hub.connect();
    socket.send({ op: "subscribe", ref: "s", topic: "brief", from: "latest" });
    socket.send({ op: "unsubscribe", ref: "u", topic: "brief" });
    await socket.until((messages) => messages.some(({ op }) => op === "unsubscribed"));
    await hub.publish("brief", { type: "new" });
    socket.send('{"op": "ping"}');
    await socket.until((messages) => messages.some(({ op }) => op === "pong"));
    expect(socket.messages.map(({ op }) => op).filter((op) => op !== "welcome" && op !== "pong")).toEqual([
      "subscribed",
      "caught_up",
      "unsubscribed",
    ]);
    await socket.close();
  });

  it("[WS-8] subscribes sent all at once stop at the limit", async () => {
    const socket = await hub.connect({ timeoutMs: 80_000 }); // A hundred topics are made, one after the other.
    for (const n of count(103)) socket.send({ op: "subscribe", ref: n, topic: `many-${n}` });
    const answers = () => socket.messages.filter(({ op }) => op === "subscribed" || op === "error");
    await socket.until(() => answers().length === 103, "103 answers");
    expect(answers().filter(({ op }) => op === "subscribed")).toHaveLength(100);
    await socket.close();
  });

  it("[WS-4] a subscribe that fails leaves the follow that stood", async () => {
    await hub.json("PUT", "/v1/topics/kept", { partitions: 2 });
    const socket = await hub.connect();
    socket.send({ op: "subscribe", ref: 1, topic: "kept" });
    await socket.until((messages) => messages.some(({ op }) => op === "caught_up"));
    socket.send({ op: "subscribe", ref: 2, topic: "kept", from: "offset:1" });
    await socket.until((messages) => messages.some(({ op }) => op === "error"));
    await hub.publish("kept", { type: "still here" });
    await socket.until((messages) => messages.some(({ op }) => op === "event"));
    await socket.close();
  });
});

describe("a topic that nobody follows yet", () => {
  it("[WS-4] takes its first follower while it is being published to", async () => {
    await hub.publish("busy", { type: "first" });
    const end = new AbortController();
    const publisher = (async () => {
      while (!end.signal.aborted) await hub.publish("busy", { type: "more" });
    })();
    for (const round of count(15)) {
      const socket = await hub.connect();
      socket.send({ op: "subscribe", ref: round, topic: "busy" });
      await socket.until((messages) => messages.some(({ op }) => op === "caught_up" || op === "error"));
      expect(socket.messages.map(({ op }) => op)).not.toContain("error");
      await socket.close();
    }
    end.abort();
    await publisher;
  });
});
