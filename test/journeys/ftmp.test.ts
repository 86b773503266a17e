import { EventSource } from "eventsource";
import { afterAll, beforeAll, expect, it } from "vitest";
import { compileFilter } from "../../src/core/filter.ts";
import type { FilterPattern } from "../../src/core/filter-pattern.ts";
import { randomDraft, randomFilter } from "../builders/random-filters.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { seededRandom } from "../harness/random.ts";
import { Sink } from "../harness/sink.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";
import { SEED } from "../wire/random-json.ts";

const FILTERS = 40;
const EVENTS = 250;
const TOPIC = "filtered";
const END = "the.end";

let hub: Hub;
let sink: Sink;
const sources: EventSource[] = [];

beforeAll(async () => {
  [hub, sink] = [await startHub(), await Sink.open(({ path }) => (path === `/${LETTERS}` ? 422 : 204))];
});
afterAll(async () => {
  for (const source of sources) source.close();
  await Promise.all([hub.close(), sink.close()]);
});

const idsOf = (events: readonly WireEvent[]): string[] => events.map(({ id }) => id);

async function readFiltered(filter: string): Promise<string[]> {
  const ids: string[] = [];
  for (let from = "earliest"; ;) {
    const page = await hub.read(TOPIC, { filter, from, limit: 30 });
    ids.push(...idsOf(page.events));
    if (page.caughtUp) return ids;
    from = `cursor:${page.cursor}`;
  }
}

function stream(filter: string): WireEvent[] {
  const search = new URLSearchParams({ token: ROOT_KEY, from: "earliest", filter });
  const source = new EventSource(`${hub.url}/v1/topics/${TOPIC}/events?${search}`);
  sources.push(source);
  const events: WireEvent[] = [];
  source.addEventListener("event", ({ data }) => events.push(JSON.parse(data as string) as WireEvent));
  return events;
}

/** Refused for good by its target, every event of the topic is a dead letter of this subscription. */
const LETTERS = "letters";

async function dieOf(count: number): Promise<void> {
  const look = () => hub.json<{ stats: { dead: number } }>("GET", `/v1/subscriptions/${LETTERS}`);
  await eventually(look, ({ body }) => body.stats.dead === count, `${count} dead letters`, 30_000);
}

/** What a redrive by this filter brings to the target again. They die again of it, and so each filter finds them all. */
async function redrive(filter: FilterPattern, letters: number): Promise<string[]> {
  const before = sink.deliveries.length;
  const path = `/v1/subscriptions/${LETTERS}/dead-letters/redrive`;
  const { status, body } = await hub.json<{ matched: number }>("POST", path, { filter });
  expect(status).toBe(200);
  const came = () => sink.deliveries.slice(before).filter(({ path: at }) => at === `/${LETTERS}`);
  await sink.until(() => came().length >= body.matched, `${body.matched} redriven deliveries`);
  await dieOf(letters);
  expect(new Set(came().map(({ headers }) => headers["webhook-redrive"]))).toEqual(new Set(["true"]));
  return came().map(({ event }) => event.id);
}

const hasEnded = (events: readonly WireEvent[]): boolean => events.some(({ type }) => type === END);

it(`[FLT-5] lets the same events through in pages, streams, sockets, subscriptions and redrives, ${FILTERS * EVENTS} pairs (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  let t = performance.now();
  const T: Record<string, number> = {};
  const lap = (n: string) => {
    const u = performance.now();
    T[n] = (T[n] ?? 0) + u - t;
    t = u;
  };
  // The last event passes every filter, so that each reader is known to have seen all.
  const filters = Array.from({ length: FILTERS }, (): FilterPattern => ({
    $or: [randomFilter(random), { type: [END] }],
  }));
  const drafts = Array.from({ length: EVENTS }, (_, index) => randomDraft(random, `event-${index}`));
  await hub.publish(TOPIC, drafts.slice(0, EVENTS / 2));

  lap("pub1");
  const readers = await Promise.all(
    filters.map(async (filter, index) => {
      const target = { kind: "webhook", url: `${sink.url}/${index}` };
      const definition = { topics: [TOPIC], filter, startFrom: "earliest", target };
      const made = await hub.json("PUT", `/v1/subscriptions/filter-${index}`, definition);
      expect([made.status, made.body]).toEqual([201, expect.anything()]);
      const socket = await hub.connect();
      await socket.subscribe(TOPIC, { from: "earliest", filter });
      return { filter, socket, streamed: stream(JSON.stringify(filter)) };
    }),
  );
  lap("subs");
  const target = { kind: "webhook", url: `${sink.url}/${LETTERS}` };
  await hub.json("PUT", `/v1/subscriptions/${LETTERS}`, {
    topics: [TOPIC],
    startFrom: "earliest",
    target,
    maxInFlight: 1_000,
  });
  await hub.publish(TOPIC, drafts.slice(EVENTS / 2));
  await hub.publish(TOPIC, { id: "end", type: END });

  lap("pub2");
  const log = await hub.readAll(TOPIC);
  await dieOf(log.length);
  lap("die");
  let passed = 0;
  for (const [index, { filter, socket, streamed }] of readers.entries()) {
    const compiled = compileFilter(filter);
    const expected = idsOf(log.filter((event) => compiled.matches(event)));
    const says = JSON.stringify(filter);
    expect([says, await readFiltered(says)]).toEqual([says, expected]);
    lap("read");
    await socket.until(() => hasEnded(socket.events()), `the end through ${says}`);
    expect([says, idsOf(socket.events())]).toEqual([says, expected]);
    lap("socket");
    await eventually(
      () => hasEnded(streamed),
      (ended) => ended,
      `the end of the stream of ${says}`,
    );
    expect([says, idsOf(streamed)]).toEqual([says, expected]);
    lap("sse");
    const delivered = () => sink.accepted.filter(({ path }) => path === `/${index}`).map(({ event }) => event.id);
    await sink.until(() => delivered().length >= expected.length, `${expected.length} deliveries of ${says}`);
    expect([says, delivered().toSorted()]).toEqual([says, expected.toSorted()]);
    lap("delivered");
    expect([says, (await redrive(filter, log.length)).toSorted()]).toEqual([says, expected.toSorted()]);
    lap("redrive");
    passed += expected.length - 1;
  }
  console.log(T); // Neither everything nor nothing, or the equality above would say little.
  expect(passed).toBeGreaterThan(FILTERS * EVENTS * 0.1);
  expect(passed).toBeLessThan(FILTERS * EVENTS * 0.9);
}, 90_000);
