import { EventSource } from "eventsource";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;
const sources: EventSource[] = [];

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());
afterEach(() => {
  for (const source of sources.splice(0)) source.close();
});

interface Block {
  readonly kind: string;
  readonly id: string;
  readonly data: unknown;
}

/** An EventSource that we did not write, and what it has heard. */
function follow(topic: string, query: Record<string, string> = {}) {
  const search = new URLSearchParams({ token: ROOT_KEY, ...query });
  const source = new EventSource(`${hub.url}/v1/topics/${topic}/events?${search}`);
  sources.push(source);
  const blocks: Block[] = [];
  for (const kind of ["event", "caught_up", "gap", "problem"]) {
    source.addEventListener(kind, (message) => {
      const { data, lastEventId } = message as { data: string; lastEventId: string };
      blocks.push({ kind, id: lastEventId, data: JSON.parse(data) });
    });
  }
  const kinds = () => blocks.map(({ kind }) => kind);
  const events = () => blocks.filter(({ kind }) => kind === "event").map(({ data }) => data as WireEvent);
  const until = (test: () => boolean, what: string) =>
    eventually(test, (holds) => holds, `${what}, of ${kinds().join()}`);
  return { source, blocks, kinds, events, until, offsets: () => events().map(({ offset }) => offset) };
}

const draft = { type: "t" };

describe("server-sent events", () => {
  it("[RD-7] bring the backlog, caught_up, then what comes, each with the cursor behind it as its id", async () => {
    await hub.publish("told", [draft, draft]);
    const reader = follow("told");
    await reader.until(() => reader.kinds().includes("caught_up"), "caught_up");
    await hub.publish("told", [draft, draft]);
    await reader.until(() => reader.events().length === 4, "four events");
    expect(reader.kinds()).toEqual(["event", "event", "caught_up", "event", "event"]);
    expect(reader.offsets()).toEqual([1, 2, 3, 4]);
    const page = await hub.read("told", { from: `cursor:${reader.blocks[0]!.id}` });
    expect(page.events.map(({ offset }) => offset)).toEqual([2, 3, 4]);
  });

  it("[RD-7] filter by type, by content and by where they begin", async () => {
    await hub.publish("told-some", [{ type: "a" }, { type: "b", data: { n: 1 } }, { type: "b", data: { n: 2 } }]);
    const [byType, byContent, fromLatest] = [
      follow("told-some", { type: "b" }),
      follow("told-some", { filter: '{"data":{"n":[2]}}' }),
      follow("told-some", { from: "latest" }),
    ];
    for (const reader of [byType, byContent, fromLatest]) {
      await reader.until(() => reader.kinds().includes("caught_up"), "caught_up");
    }
    expect([byType.offsets(), byContent.offsets(), fromLatest.offsets()]).toEqual([[2, 3], [3], []]);
  });

  it("[RD-8] resume by Last-Event-ID after the connection is lost: nothing missing, nothing twice", async () => {
    await hub.publish("resumed", [draft, draft]);
    const reader = follow("resumed");
    await reader.until(() => reader.kinds().includes("caught_up"), "caught_up");
    await hub.killRuntime();
    await hub.publish("resumed", [draft, draft, draft]);
    await reader.until(() => reader.events().length >= 5, "five events");
    expect(reader.offsets()).toEqual([1, 2, 3, 4, 5]);
    expect(reader.source.readyState).toBe(EventSource.OPEN);
  });

  it("[RD-8] say that retention or another life took what a reader had not seen", async () => {
    await hub.publish("forgotten", [draft, draft]);
    const { cursor } = await hub.read("forgotten");
    await hub.json("DELETE", "/v1/topics/forgotten");
    await hub.publish("forgotten", [draft]);
    const response = await hub.request("/v1/topics/forgotten/events", {
      headers: { accept: "text/event-stream", "last-event-id": cursor },
    });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("caught_up")) text += (await reader.read()).value ?? "";
    await reader.cancel();
    expect(text).toMatch(/event: gap\ndata: \{.*"reason":"epoch"\}\n\n/);
    expect(text.indexOf("event: gap")).toBeLessThan(text.indexOf("event: event"));
  });

  it("[RD-9] end with a problem when the topic does", async () => {
    await hub.publish("ended", draft);
    const reader = follow("ended");
    await reader.until(() => reader.kinds().includes("caught_up"), "caught_up");
    await hub.json("DELETE", "/v1/topics/ended");
    await reader.until(() => reader.kinds().includes("problem"), "a problem");
    expect(reader.blocks.find(({ kind }) => kind === "problem")!.data).toMatchObject({
      code: "topic_not_found",
      status: 404,
    });
  });

  it("[RD-7] change no character of an event on their way", async () => {
    const data = '{"n":12345678901234567890,"one":1.0,"huge":1e400,"s":"\\u2028 \u2028 😀"}';
    await hub.publish("told-exactly", `{"type":"t","data":${data}}`);
    const response = await hub.request("/v1/topics/told-exactly/events", { headers: { accept: "text/event-stream" } });
    expect(response.headers.get("content-type")).toContain("text/event-stream");
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("caught_up")) text += (await reader.read()).value ?? "";
    await reader.cancel();
    expect(text).toContain(`"data":${data}}\n\n`);
  });
});
