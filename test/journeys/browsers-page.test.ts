import { readFileSync } from "node:fs";
import { join } from "node:path";
import { EventSource } from "eventsource";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/browsers.md"), "utf8");

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const snippetUnder = (heading: string): string => {
  const [, rest] = PAGE.split(`## ${heading}\n`);
  return /```js\n(.*?)```/s.exec(rest!)![1]!;
};

const lines = (snippet: string): number => snippet.trim().split("\n").length;

// The stream comes last: that it was closed is heard at its next heartbeat.
it.each(["WebSocket", "Server-sent events"])(
  "[CHN-17] the page's ten lines for %s show every event once, in order, over a kill -9 too",
  async (heading) => {
    const snippet = snippetUnder(heading);
    expect(lines(snippet)).toBeLessThanOrEqual(10);
    const { body } = await hub.json<{ token: string }>("POST", "/v1/tokens", { scopes: ["subscribe:news"], ttl: "5m" });
    const shown: WireEvent[] = [];
    const open: { close(): void }[] = [];
    class Source extends EventSource {
      constructor(url: string) {
        super(url);
        open.push(this);
      }
    }
    class Socket extends WebSocket {
      constructor(url: string, protocol: string) {
        super(url, protocol);
        open.push(this);
      }
    }
    let isOver = false;
    // Who comes back has missed something, however busy the machine is.
    let published = Promise.resolve();
    const later = (work: (...values: unknown[]) => void, ms: number, ...values: unknown[]) =>
      setTimeout(() => void published.then(() => isOver || work(...values)), ms);
    const parameters = ["HUB", "TOKEN", "show", "EventSource", "WebSocket", "setTimeout"];
    const run = new Function(...parameters, snippet) as (...values: unknown[]) => void;
    run(hub.url, body.token, (event: WireEvent) => shown.push(event), Source, Socket, later);
    const publish = (data: number) => hub.publish("news", { type: "n", id: `${heading}-${data}`, data });
    await eventually(
      async () => (await hub.json<{ subscriptions: number }>("GET", "/v1/channels/news")).body.subscriptions,
      (followers) => followers > 0,
      "it follows",
    );
    for (const data of [1, 2]) await publish(data);
    await eventually(
      () => shown.length,
      (count) => count === 2,
      "two events",
    );
    const { promise, resolve } = Promise.withResolvers<void>();
    published = promise;
    await hub.killRuntime();
    for (const data of [3, 4]) await publish(data);
    resolve();
    await eventually(
      () => shown.length,
      (count) => count >= 4,
      "what came during the break",
    );
    await publish(5);
    await eventually(
      () => shown.length,
      (count) => count >= 5,
      "what came after it",
    );
    expect(shown.map(({ data }) => data)).toEqual([1, 2, 3, 4, 5]);
    isOver = true;
    for (const one of open) one.close();
    if (heading !== "WebSocket") return;
    await eventually(
      async () => (await hub.json<{ subscriptions: number }>("GET", "/v1/channels/news")).body.subscriptions,
      (followers) => followers === 0,
      "nobody follows",
    );
  },
);
