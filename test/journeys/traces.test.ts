/** One trace, from the request that publishes to everyone who gets the event; and the story of the event afterwards. */
import mermaid from "mermaid";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { EventStory } from "../../src/core/event-story.ts";
import type { Called } from "../builders/consumer.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { sendRaw } from "../harness/raw.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;
const OTHER = "00-11111111111111111111111111111111-00f067aa0ba902b7-00";
const TRACESTATE = "vendor=1,tenant@other=2";

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  [hub, sink] = await Promise.all([
    startHub({ consumers: { CONSUMER_TEST: "test/builders/consumer.ts" } }),
    Sink.open(),
  ]);
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});

const subscribe = async (name: string, definition: object): Promise<void> => {
  const { status } = await hub.json("PUT", `/v1/subscriptions/${name}`, {
    target: { kind: "webhook", url: `${sink.url}/${name}` },
    ...definition,
  });
  expect(status).toBe(201);
};
const received = (path: string, count = 1) =>
  eventually(
    () => sink.deliveries.filter((delivery) => delivery.path === path),
    (found) => found.length >= count,
    `${count} at ${path}`,
  );

/** What the hub keeps of a publish that is sent with these lines of header. */
async function publishRaw(topic: string, headers: readonly string[], body: object): Promise<Record<string, unknown>> {
  const text = JSON.stringify(body);
  const lines = [
    `POST /v1/topics/${topic}/events HTTP/1.1`,
    "host: hub",
    `authorization: Bearer ${ROOT_KEY}`,
    "content-type: application/json",
    `content-length: ${text.length}`,
    ...headers,
  ];
  const answer = await sendRaw(hub.url, [`${lines.join("\r\n")}\r\n\r\n${text}`]);
  expect(answer.status).toBe(201);
  return (await hub.read(topic)).events.at(-1) as unknown as Record<string, unknown>;
}

describe("a trace that a publish belongs to", () => {
  it("[TRC-4] is seen by the webhook, the Worker, the socket, the stream and who reads: the same header", async () => {
    await subscribe("hooked", { topics: ["traced"] });
    await subscribe("binary", {
      topics: ["traced"],
      target: { kind: "webhook", url: `${sink.url}/binary`, contentMode: "binary" },
    });
    await subscribe("worked", { topics: ["traced"], target: { kind: "worker", binding: "CONSUMER_TEST" } });
    await subscribe("copied", { topics: ["traced"], target: { kind: "topic", topic: "traced-copy" } });
    await subscribe("behind", { topics: ["traced-copy"] });
    const socket = await hub.connect();
    await socket.subscribe("traced");
    await hub.publish("traced", { type: "t", data: 1 }, { traceparent: TRACEPARENT, tracestate: TRACESTATE });

    for (const path of ["/hooked", "/binary", "/behind"]) {
      const [{ headers }] = (await received(path)) as [Sink["deliveries"][number]];
      expect([path, headers["traceparent"], headers["tracestate"]]).toEqual([path, TRACEPARENT, TRACESTATE]);
    }
    const worked = await eventually(
      () => (hub.logs as readonly Partial<Called>[]).find(({ stage }) => stage === "consumer.called"),
      (called) => called !== undefined,
      "the Worker is called",
    );
    await socket.until(() => socket.events("traced").length > 0);
    const { events } = await hub.read("traced");
    for (const event of [worked!.event!, socket.events("traced")[0], events[0]])
      expect(event).toMatchObject({ traceparent: TRACEPARENT, tracestate: TRACESTATE });
    const stream = await hub.request("/v1/topics/traced/events?from=earliest", {
      headers: { accept: "text/event-stream" },
    });
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes(TRACE)) text += (await reader.read()).value ?? "";
    await reader.cancel();
    socket.close();
  });

  it("[TRC-5] begins anew where its header cannot be read or came more than once, and its tracestate is dropped", async () => {
    const bad = [
      ["traceparent: 00-nonsense", "tracestate: a=1"],
      [`traceparent: ${TRACEPARENT}`, `traceparent: ${OTHER}`, "tracestate: a=1"],
      [`traceparent: ${TRACEPARENT}`, `traceparent: ${TRACEPARENT}`],
    ];
    for (const headers of bad) {
      const event = await publishRaw("begun", headers, { type: "t" });
      expect(event["traceparent"], headers.join()).toMatch(/^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-00$/);
      expect(event["traceparent"]).not.toContain(TRACE);
      expect(event).not.toHaveProperty("tracestate");
    }
    const several = [`traceparent: ${TRACEPARENT}`, "tracestate: a=1", "tracestate: b=2"];
    expect(await publishRaw("begun", several, { type: "t" })).toMatchObject({ tracestate: "a=1,b=2" });
    const alone = await publishRaw("begun", ["tracestate: a=1"], { type: "t" });
    expect([alone["traceparent"], alone["tracestate"]]).toEqual([undefined, undefined]);
  });

  it("[TRC-6] is on a batch's request where all its events share it, and else on each event alone", async () => {
    const batch = { maxEvents: 2, maxWait: "10s" };
    await subscribe("batched", { topics: ["batched"], mode: "batch", batch });
    const own = { type: "t", traceparent: OTHER };
    await hub.publish("batched", [{ type: "t" }, { type: "t" }], { traceparent: TRACEPARENT });
    await hub.publish("batched", [{ type: "t" }, own], { traceparent: TRACEPARENT });
    const deliveries = await received("/batched", 2);
    expect(deliveries.map(({ headers }) => headers["traceparent"])).toEqual([TRACEPARENT, undefined]);
    const events = JSON.parse(deliveries[1]!.body) as { traceparent: string }[];
    expect(events.map(({ traceparent }) => traceparent)).toEqual([TRACEPARENT, OTHER]);
  });
});

describe("the story of an event", () => {
  const story = async (id: string, topic: string, key?: string): Promise<EventStory> => {
    const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
    const path = `/v1/events/${id}/trace?topic=${topic}`;
    const { status, body } = await hub.json<EventStory>("GET", path, undefined, headers);
    expect(status).toBe(200);
    return body;
  };

  beforeAll(async () => {
    sink.respond(({ path, attempt }) => (path === "/kept" && attempt === 1 ? 500 : path === "/dying" ? 400 : 204));
    const retry = { maxAttempts: 3, schedule: ["20ms"] };
    await subscribe("kept", { topics: ["told"], retry, attempts: "all" });
    await subscribe("dying", { topics: ["told"] });
    await subscribe("picky", { topics: ["told"], filter: { type: ["another"] } });
    await subscribe("quiet", { topics: ["told"] });
    await subscribe("idle", { topics: ["told"], target: { kind: "pull" } });
    const draft = { type: "t#1;", id: "e1", key: "k", data: { secret: 1 } };
    await hub.publish("told", draft, { traceparent: TRACEPARENT });
    await subscribe("late", { topics: ["told"] });
  });

  it("[TRC-7] tells per subscription what became of it, each attempt that is kept, its death and what is due", async () => {
    const told = await eventually(
      () => story("e1", "told"),
      ({ subscriptions }) => {
        const outcomes = Object.fromEntries(subscriptions.map(({ subscription, outcome }) => [subscription, outcome]));
        return outcomes["kept"] === "delivered" && outcomes["dying"] === "dead" && outcomes["quiet"] === "delivered";
      },
      "all are delivered or dead",
    );
    expect(told.event).toMatchObject({ id: "e1", type: "t#1;", topic: "told", offset: 1, partitionkey: "k" });
    expect(JSON.stringify(told)).not.toContain("secret");
    expect(told.trace).toEqual({ traceId: TRACE, traceparent: TRACEPARENT, tracestate: null });
    const outcomes = Object.fromEntries(told.subscriptions.map((one) => [one.subscription, one.outcome]));
    const waiting = { idle: "not_examined", late: "passed_over", picky: "not_matched" };
    expect(outcomes).toEqual({ kept: "delivered", dying: "dead", quiet: "delivered", ...waiting });
    const of = (name: string) => told.stages.filter((one) => "subscription" in one && one.subscription === name);
    expect(of("kept")).toMatchObject([
      { stage: "delivery.attempted", attempt: 1, status: 500, error: null },
      { stage: "delivery.attempted", attempt: 2, status: 204, error: null },
    ]);
    expect(of("dying")).toMatchObject([
      { stage: "delivery.attempted", attempt: 1, status: 400 },
      { stage: "delivery.dead_lettered", reason: "refused_permanently" },
    ]);
    expect(told.stages[0]).toMatchObject({ stage: "event.appended", partition: 0, offset: 1 });
    const times = told.stages.map(({ at }) => at);
    expect(times).toEqual(times.toSorted());
    expect(told.complete).toBe(true);
  });

  it("[TRC-8] is drawn as a sequence diagram that Mermaid reads", async () => {
    const draw = async () => {
      const answer = await hub.request("/v1/events/e1/trace?topic=told", { headers: { accept: "text/vnd.mermaid" } });
      expect(answer.headers.get("content-type")).toBe("text/vnd.mermaid; charset=utf-8");
      return answer.text();
    };
    const text = await eventually(
      draw,
      (drawn) => / 204 after /.test(drawn) && /: dead$/m.test(drawn),
      "its deliveries have ended",
    );
    expect(await mermaid.parse(text)).toMatchObject({ diagramType: "sequence" });
    expect(text).toContain("p->>t: t#35;1#59;");
    expect(text).toMatch(/Note over t: appended at \d\d:\d\d:\d\d\.\d{3} as offset 1/);
    expect(text).toMatch(/s\d+t--xs\d+: 500 after \d+ ms/);
    expect(text).toMatch(/s\d+t-->>s\d+: 204 after \d+ ms/);
    expect(text).toMatch(/Note over s\d+: dead at \d\d:\d\d:\d\d\.\d{3}, refused_permanently/);
  });

  it("[TRC-9] tells nothing of subscriptions that the reader may not manage, and is not told without the event's scope", async () => {
    const keyFor = async (scopes: readonly string[]): Promise<string> =>
      (await hub.json<{ key: string }>("POST", "/v1/keys", { name: "n", scopes })).body.key;
    expect((await story("e1", "told", await keyFor(["history:told"]))).subscriptions).toEqual([]);
    const authorization = `Bearer ${await keyFor(["history:other", "manage:told"])}`;
    const refused = await hub.json("GET", "/v1/events/e1/trace?topic=told", undefined, { authorization });
    expect(refused.body["code"]).toBe("scope_missing");
    const absent = await hub.json("GET", "/v1/events/e2/trace?topic=told");
    expect(absent.body["code"]).toBe("event_not_found");
  });
});
