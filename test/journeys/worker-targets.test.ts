/** Two Workers in one runtime: the hub, and one that consumes by service binding. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Called, Told } from "../builders/consumer.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

interface Letter {
  readonly id: string;
  readonly reason: string;
  readonly attempts: readonly { readonly error: string | null; readonly excerpt: string }[];
}
interface Owed {
  readonly attempts: readonly { readonly error: string | null; readonly excerpt: string; readonly at: string }[];
  readonly nextAttemptAt: string | null;
}

let hub: Hub;

beforeAll(async () => {
  hub = await startHub({
    consumers: { CONSUMER_TEST: "test/builders/consumer.ts", CONSUMER_LOYALTY: "examples/consumer/index.ts" },
    vars: { CONSUMER_WORDS: "a string" },
  });
});
afterAll(() => hub.close());

const put = (name: string, binding = "CONSUMER_TEST", more: object = {}) =>
  hub.json<{ code?: string; target?: unknown }>("PUT", `/v1/subscriptions/${name}`, {
    topics: [name],
    target: { kind: "worker", binding },
    retry: { maxAttempts: 2, schedule: ["20ms"] },
    timeout: "1s",
    ...more,
  });

/** A subscription of its own, on a topic of its own, and one event in it. */
async function tell(name: string, data: Told): Promise<void> {
  expect((await put(name)).status).toBe(201);
  await hub.publish(name, { type: "told", id: `of-${name}`, data });
}

const callsOf = (name: string): Called[] =>
  (hub.logs as readonly unknown[] as readonly Called[]).filter(
    ({ stage, subscription }) => stage === "consumer.called" && subscription === name,
  );

const deliveredOf = async (name: string): Promise<number> =>
  (await hub.json<{ stats: { delivered: number } }>("GET", `/v1/subscriptions/${name}`)).body.stats.delivered;

const delivered = (name: string): Promise<number> =>
  eventually(
    () => deliveredOf(name),
    (count) => count > 0,
    `${name} is delivered`,
  );

const listOf = async <Item>(path: string): Promise<readonly Item[]> => {
  const { body } = await eventually(
    () => hub.json<{ items: readonly Item[] }>("GET", path),
    (answer) => answer.body.items.length > 0,
    path,
  );
  return body.items;
};

describe("a Worker behind a binding", () => {
  it("[TGT-1] gets the delivery's id, its attempt and the event, and what it takes is delivered", async () => {
    await tell("takes", { answers: [{ outcome: "delivered" }] });
    await delivered("takes");
    expect(callsOf("takes")).toMatchObject([
      { attempt: 1, redrive: false, event: { id: "of-takes", type: "told", offset: 1 } },
    ]);
    expect(callsOf("takes")[0]!.id).toMatch(/^msg_[0-9a-f]{32}_1_1$/);
  });

  it("[TGT-1] is called again under the same id for what it gives back, after the schedule's delay", async () => {
    await tell("gives-back", { answers: [{ outcome: "retry", reason: "not yet" }, { outcome: "delivered" }] });
    await delivered("gives-back");
    const calls = callsOf("gives-back");
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(new Set(calls.map(({ id }) => id)).size).toBe(1);
  });

  it("[TGT-1] names the delay itself, if it wants to", async () => {
    await tell("waits", { answers: [{ outcome: "retry", delayMs: 3_600_000, reason: "in an hour" }] });
    const owedWithAttempts = async (): Promise<readonly Owed[]> =>
      (await listOf<Owed>("/v1/subscriptions/waits/deliveries")).filter(({ attempts }) => attempts.length > 0);
    const [owed] = await eventually(owedWithAttempts, (items) => items.length > 0, "it is parked");
    expect(owed!.attempts).toMatchObject([{ error: "nacked", excerpt: "in an hour" }]);
    const delayMs = Date.parse(owed!.nextAttemptAt!) - Date.parse(owed!.attempts[0]!.at);
    expect(delayMs).toBeGreaterThan(3_599_000);
    expect(delayMs).toBeLessThan(3_630_000);
  });

  it("[TGT-1] makes a dead letter at once of what it will never take, and redriven it says so", async () => {
    await tell("rejects", { answers: [{ outcome: "reject", reason: "no such order" }] });
    const [letter] = await listOf<Letter>("/v1/subscriptions/rejects/dead-letters");
    expect(letter).toMatchObject({
      reason: "rejected",
      attempts: [{ error: "rejected", excerpt: "no such order" }],
    });
    await hub.json("POST", "/v1/subscriptions/rejects/dead-letters/redrive", { all: true });
    await eventually(
      () => callsOf("rejects"),
      (calls) => calls.length === 2,
      "it comes again",
    );
    expect(callsOf("rejects").map(({ redrive }) => redrive)).toEqual([false, true]);
  });

  it.each<[string, Told, object]>([
    ["is silent", {}, { error: "nacked", excerpt: "It said nothing of this delivery." }],
    ["talks nonsense", { answers: [{ outcome: "fine", delayMs: "x" }] }, { error: "nacked" }],
    ["throws", { throws: "no stock" }, { error: "worker_threw", excerpt: "no stock" }],
    ["hangs", { hangs: true }, { error: "timeout" }],
  ])("[TGT-2] that %s has failed the attempt, and the last one makes a dead letter", async (how, data, attempt) => {
    const name = how.replaceAll(" ", "-");
    await tell(name, data);
    const [letter] = await listOf<Letter>(`/v1/subscriptions/${name}/dead-letters`);
    expect(letter).toMatchObject({ reason: "attempts_exhausted", attempts: [attempt, attempt] });
  });

  it("[TGT-9] gets a batch in one call, and says of each delivery what becomes of it", async () => {
    const batch = { mode: "batch", batch: { maxEvents: 3, maxWait: "5s" } };
    expect((await put("batched", "CONSUMER_TEST", batch)).status).toBe(201);
    const answers = [[{ outcome: "delivered" }], [{ outcome: "reject", reason: "never" }], [{ outcome: "delivered" }]];
    await hub.publish(
      "batched",
      answers.map((told, n) => ({ id: `b${n}`, type: "told", data: { answers: told } })),
    );
    const [letter, ...others] = await listOf<Letter>("/v1/subscriptions/batched/dead-letters");
    expect(letter).toMatchObject({ reason: "rejected", attempts: [{ excerpt: "never" }] });
    expect(others).toEqual([]);
    await eventually(
      () => deliveredOf("batched"),
      (count) => count === 2,
      "the others are delivered",
    );
    expect(callsOf("batched").map(({ event, together }) => [event.id, together])).toEqual([
      ["b0", 3],
      ["b1", 3],
      ["b2", 3],
    ]);
  });

  it("[TGT-3] is shown as it was named", async () => {
    expect((await put("shown")).body).toMatchObject({ target: { kind: "worker", binding: "CONSUMER_TEST" } });
  });

  it.each(["CONSUMER_NOBODY", "CONSUMER_WORDS"])("[TGT-3] is refused when %s leads to none", async (binding) => {
    expect(await put("refused", binding)).toMatchObject({ status: 422, body: { code: "worker_not_found" } });
  });

  it.each(["DB", "DELIVERIES", "TOPIC_LOG", "ROOT_KEY", "CONSUMER_", "consumer_test", "__proto__", ""])(
    "[TGT-3] cannot be %j, which is no name of a consumer",
    async (binding) => {
      expect(await put("refused", binding)).toMatchObject({ status: 422, body: { code: "subscription_invalid" } });
    },
  );
});

describe("the example consumer", () => {
  it("[TGT-8] books what is an order and rejects what is not", async () => {
    expect((await put("loyalty", "CONSUMER_LOYALTY")).status).toBe(201);
    await hub.publish("loyalty", [
      { type: "order.created", data: { id: "order-1", customerId: "c-1", total: 61.2 } },
      { type: "order.created", data: { total: "much" } },
    ]);
    await delivered("loyalty");
    const [letter] = await listOf<Letter>("/v1/subscriptions/loyalty/dead-letters");
    expect(letter).toMatchObject({ reason: "rejected", attempts: [{ excerpt: "This is no order." }] });
    expect(hub.logs.filter(({ stage }) => stage === "points.booked")).toMatchObject([{ customerId: "c-1", points: 6 }]);
  });
});
