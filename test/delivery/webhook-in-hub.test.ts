/**
 * The same attempts from inside the pinned runtime, whose `fetch` is not Node's, told by what the ledger kept of them.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AttemptRecord } from "../../src/core/delivery-decision.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink, type SinkAnswer } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

interface DeadLetterView {
  readonly reason: string;
  readonly attempts: readonly Pick<AttemptRecord, "status" | "error" | "excerpt">[];
}

const ANSWERS: Record<string, SinkAnswer> = {
  broken: { status: 500, body: "the shelf fell over" },
  refusing: { status: 422, body: "no such product" },
  moving: { status: 302, headers: { location: "http://127.0.0.1:9/elsewhere" } },
  sleeping: { delayMs: 3_000 },
  resetting: { reset: true },
  flooding: { status: 500, body: "x".repeat(1_000_000) },
  gone: { status: 410 },
};

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  [hub, sink] = await Promise.all([startHub(), Sink.open(({ path }) => ANSWERS[path.slice(1)] ?? 204)]);
  for (const name of Object.keys(ANSWERS)) {
    const { status } = await hub.json("PUT", `/v1/subscriptions/${name}`, {
      topics: ["orders"],
      target: { kind: "webhook", url: `${sink.url}/${name}` },
      retry: { maxAttempts: 1 },
      timeout: "1s",
    });
    expect(status).toBe(201);
  }
  await hub.publish("orders", { type: "order.created", data: 1 });
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});

it.each([
  ["broken", "attempts_exhausted", { status: 500, error: null, excerpt: "the shelf fell over" }],
  ["refusing", "refused_permanently", { status: 422, error: null, excerpt: "no such product" }],
  ["moving", "attempts_exhausted", { status: null, error: "redirect", excerpt: "302 to http://127.0.0.1:9/elsewhere" }],
  ["sleeping", "attempts_exhausted", { status: null, error: "timeout", excerpt: "" }],
  ["flooding", "attempts_exhausted", { status: 500, error: null, excerpt: "x".repeat(4_096) }],
])("[WHK-4] a target that is %s leaves a dead letter: %s", async (name, reason, record) => {
  const letters = await deadLettersOf(name);
  expect(letters).toMatchObject([{ reason, attempts: [record] }]);
});

it("[WHK-4] a target that resets the connection leaves one too", async () => {
  expect(await deadLettersOf("resetting")).toMatchObject([
    { reason: "attempts_exhausted", attempts: [{ status: null, error: "connection" }] },
  ]);
});

it("[DLV-5] a target that is gone stops its subscription, and the delivery stays owed", async () => {
  const { body } = await eventually(
    () => hub.json<{ state: string; stats: { owed: number } }>("GET", "/v1/subscriptions/gone"),
    (answer) => answer.body.state === "disabled",
    "it is disabled",
  );
  expect(body.stats.owed).toBe(1);
});

it("[DLV-14] each failed attempt is one wide line, without payload or secret", async () => {
  const lines = hub.logs.filter(({ stage }) => stage === "delivery.attempted");
  expect(lines.find(({ subscription }) => subscription === "broken")).toMatchObject({
    topic: "orders",
    offset: 1,
    attempt: 1,
    status: 500,
    outcome: "refused",
  });
  expect(JSON.stringify(hub.logs)).not.toMatch(/whsec_|shelf fell|test-root-key/);
});

async function deadLettersOf(name: string): Promise<readonly DeadLetterView[]> {
  const { body } = await eventually(
    () => hub.json<{ items: readonly DeadLetterView[] }>("GET", `/v1/subscriptions/${name}/dead-letters`),
    (answer) => answer.body.items.length > 0,
    "it is dead",
  );
  return body.items;
}
