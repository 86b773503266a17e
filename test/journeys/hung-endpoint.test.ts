/**
 * Goal: an endpoint that accepts connections and never answers costs nobody else anything.
 * Method: one subscription's target hangs for longer than the timeout on every connection that the hub gives it; the
 * others' first attempts are timed from the publish, in the calm before and while it hangs.
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

/** Longer than the timeout: who gave one attempt up has the next ones hanging. */
const HANG_MS = 60_000;
const DELAY_MS_MAX = 1_000;
const ROUNDS = 10;
const TOPIC = "orders";

const OTHERS: Readonly<Record<string, object>> = {
  plain: {},
  keyed: { ordering: "key" },
  strict: { ordering: "strict" },
  batched: { mode: "batch", batch: { maxEvents: 1 } },
};

let hub: Hub;
let sink: Sink;
let hanging = 0;

beforeAll(async () => {
  hub = await startHub();
  sink = await Sink.open(({ path }) => {
    if (path !== "/hung") return 204;
    hanging += 1;
    return { delayMs: HANG_MS };
  });
  for (const [name, more] of Object.entries(OTHERS)) await subscribe(name, [TOPIC], more);
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});

async function subscribe(name: string, topics: readonly string[], more: object): Promise<void> {
  const target = { kind: "webhook", url: `${sink.url}/${name}` };
  const made = await hub.json("PUT", `/v1/subscriptions/${name}`, { topics, target, timeout: "15s", ...more });
  expect(made.status).toBe(201);
}

/** The longest that anybody of the others waited for the event of a publish. */
async function longestWaitMs(): Promise<number> {
  let longestMs = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const publishedAt = performance.now();
    const before = sink.deliveries.length;
    expect((await hub.publish(TOPIC, { type: "order.created", key: `k${round}` })).status).toBe(201);
    await sink.until(() => sink.deliveries.length >= before + Object.keys(OTHERS).length, "a delivery to each");
    longestMs = Math.max(longestMs, performance.now() - publishedAt);
  }
  return longestMs;
}

it("[DLV-40] a target that hangs on all its connections delays no other's first attempt by a second", async () => {
  const calmMs = await longestWaitMs();
  await subscribe("hung", [TOPIC, "hung"], {});
  const drafts = Array.from({ length: 100 }, (_, index) => ({ type: "order.created", key: `k${index}` }));
  await hub.publish("hung", drafts);
  // Half of its window makes a dispatch, and six connections work on each.
  await eventually(
    () => hanging,
    (count) => count >= 12,
    "it hangs on all its connections",
  );
  const hungMs = await longestWaitMs();
  console.log(
    `first attempts wait for ${calmMs.toFixed(0)} ms, and for ${hungMs.toFixed(0)} beside a target that hangs`,
  );
  expect(sink.accepted.some(({ path }) => path === "/hung")).toBe(false); // A control: it hung through all of it.
  expect(hungMs).toBeLessThan(2 * calmMs + DELAY_MS_MAX);
});
