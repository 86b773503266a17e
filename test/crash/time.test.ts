/**
 * Goal: what is for later comes once and never early, though the plug is pulled while it waits and while it comes.
 * Method: hundreds of events that are due within seconds, and a schedule of every second, on a hub whose runtime is
 * killed with -9 three times, each time with a publish under way that is repeated afterwards.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { canReadProcesses } from "../harness/proc.ts";
import { seededRandom } from "../harness/random.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually } from "../harness/wait.ts";

const KILLS = 3;
const EVENTS_PER_KILL = 120;
const DUE_WITHIN_MS = 6_000;
const SEED = Number(process.env["CRASH_SEED"] ?? Math.trunc(Math.random() * 1_000_000));

interface TimeRun {
  /** By id, milliseconds. */
  readonly due: ReadonlyMap<string, number>;
  readonly later: readonly WireEvent[];
  readonly ticks: readonly WireEvent[];
}

async function read(hub: Hub, topic: string): Promise<WireEvent[]> {
  const response = await hub.request(`/v1/topics/${topic}/events?limit=1000`);
  return response.ok ? ((await response.json()) as { events: WireEvent[] }).events : [];
}

async function publish(hub: Hub, due: ReadonlyMap<string, number>, ids: readonly string[]): Promise<void> {
  const drafts = ids.map((id) => ({ type: "later", id, deliverAt: new Date(due.get(id)!).toISOString() }));
  const send = () => hub.publish("crash.later", drafts).then(({ status }) => status);
  await eventually(send, (status) => status === 200 || status === 201, "the publish"); // Each has an id of its own.
}

async function live(persistTo: string): Promise<TimeRun> {
  const random = seededRandom(SEED);
  const hub = await startHub({ persistTo });
  try {
    const schedule = { cron: "* * * * * *", topic: "crash.ticks", event: { type: "tick" }, catchUp: "all" };
    expect((await hub.json("PUT", "/v1/schedules/ticks", schedule)).status).toBe(201);
    const due = new Map<string, number>();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const ids = Array.from({ length: EVENTS_PER_KILL }, (_, index) => `${kill}-${index}`);
      for (const id of ids) due.set(id, Date.now() + Math.floor(random() * DUE_WITHIN_MS));
      const [known, flying] = [ids.slice(0, EVENTS_PER_KILL / 2), ids.slice(EVENTS_PER_KILL / 2)];
      await publish(hub, due, known);
      const cut = publish(hub, due, flying).catch(() => undefined);
      await hub.killRuntime();
      await cut;
      await publish(hub, due, flying);
    }
    const later = await eventually(
      () => read(hub, "crash.later"),
      ({ length }) => length >= due.size,
      "all that waited",
    );
    const seen = Date.now();
    const ticks = await eventually(
      () => read(hub, "crash.ticks"),
      (events) => Date.parse(events.at(-1)?.time ?? "1970-01-01T00:00:00Z") >= seen,
      "a second that passed after all of it",
    );
    return { due, later, ticks };
  } finally {
    await hub.close();
  }
}

describe.skipIf(!canReadProcesses)("three kill -9 while events wait for their time", () => {
  const persistTo = mkdtempSync(join(tmpdir(), "tidings-time-"));
  let run: TimeRun;

  beforeAll(async () => {
    console.log(`CRASH_SEED=${SEED}`);
    run = await live(persistTo);
    const lateMs = run.later.map(({ id, appendedat }) => Date.parse(String(appendedat)) - run.due.get(id)!);
    console.log(JSON.stringify({ later: run.later.length, ticks: run.ticks.length, latestMs: Math.max(...lateMs) }));
  }, 240_000);

  afterAll(() => rmSync(persistTo, { recursive: true, force: true }));

  it("[TIME-17] appends each of them once, and none before its time", () => {
    expect(run.later.map(({ id }) => id).toSorted()).toEqual([...run.due.keys()].toSorted());
    expect(run.later.map(({ offset }) => offset)).toEqual(run.later.map((_, index) => index + 1));
    const early = run.later.filter(({ id, appendedat }) => Date.parse(String(appendedat)) < run.due.get(id)!);
    expect(early).toEqual([]);
  });

  it("[TIME-17] publishes every second of the schedule once, through all of it", () => {
    const times = run.ticks.map(({ time }) => Date.parse(time));
    expect(times.length).toBeGreaterThan(KILLS);
    expect(times).toEqual(times.map((_, index) => times[0]! + index * 1_000));
    const early = run.ticks.filter(({ time, appendedat }) => Date.parse(String(appendedat)) < Date.parse(time));
    expect(early).toEqual([]);
  });
});
