/** Beside the rows: targets that are to be left alone, and a lane that hangs in the calm after the storm. */
import type { Fate } from "../builders/delivery-fates.ts";
import type { DeliveryRecorder, Stories } from "../builders/delivery-recorder.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually, pause } from "../harness/wait.ts";
import { firstWaitsMs } from "./delivery-checks.ts";
import type { HubAccess } from "./hub-access.ts";

/** What their targets do with each event. */
export const SIDELINES: Readonly<Record<string, (event: WireEvent) => Fate>> = {
  gone: () => "gone",
  paused: () => "failed",
  lanes: ({ id, partitionkey }) => (partitionkey === HUNG_KEY && id.startsWith("hung") ? "hung" : "taken"),
};

/** Two subscriptions that have come to an end: one target said 410, the other's owner pressed pause. */
export interface Endings {
  /** From then on nothing was to be attempted. */
  readonly goneAt: number;
  readonly pausedAt: number;
  /** Publishes more to both. */
  tempt(): Promise<void>;
  /** Resolves when a mistaken attempt would have come. */
  end(): Promise<void>;
}
/** Longer than every delay and ring that could bring one. */
const WATCHED_MS = 1_000;

const drafts = (prefix: string, count: number): object[] =>
  Array.from({ length: count }, (_, index) => ({ id: `${prefix}-${index}`, type: "step", key: `k${index % KEYS}` }));

/** Before the storm, so that each of its restarts could forget what was said. */
export async function endFor(access: HubAccess, recorder: DeliveryRecorder): Promise<Endings> {
  await access.put("subscriptions/gone", oneAtATime("calm.gone", `${recorder.url}/gone`));
  await access.put("subscriptions/paused", oneAtATime("calm.paused", `${recorder.url}/paused`));
  await Promise.all(["gone", "paused"].map((name) => access.publish(`calm.${name}`, drafts("early", 5))));
  await eventually(
    () => access.look("gone"),
    ({ state, stats }) => state === "disabled" && stats.inFlight === 0,
    "410 disables",
  );
  const goneAt = Date.now();
  await eventually(
    () => attemptsOf(recorder.storiesOf("paused")),
    (count) => count >= 3,
    "three attempts fail",
  );
  await access.json("POST", "subscriptions/paused/pause", {});
  await eventually(
    () => access.look("paused"),
    ({ stats }) => stats.inFlight === 0,
    "what was under way is settled",
  );
  const pausedAt = Date.now();
  return {
    goneAt,
    pausedAt,
    tempt: async () => {
      await Promise.all(["gone", "paused"].map((name) => access.publish(`calm.${name}`, drafts("late", 5))));
    },
    end: () => pause(WATCHED_MS),
  };
}

const attemptsOf = (stories: Stories): number =>
  [...stories.values()].reduce((sum, { attempts }) => sum + attempts.length, 0);

const oneAtATime = (topic: string, url: string): object => ({
  topics: [topic],
  startFrom: "earliest",
  target: { kind: "webhook", url },
  maxInFlight: 1,
  retry: { maxAttempts: 50, schedule: ["200ms"] },
});

/** Waits of first attempts, milliseconds from the publish's answer. */
export interface BrokenLane {
  /** Before any key hung. */
  readonly calmMs: readonly number[];
  /** Of the other keys, while one hung until its timeout at each attempt. */
  readonly othersMs: readonly number[];
  readonly hungAttempts: number;
}

const HUNG_KEY = "k3";
export const LANE_TIMEOUT_MS = 1_000;
const KEYS = 20;
const LANE_EVENTS = 200;

export async function breakLane(access: HubAccess, recorder: DeliveryRecorder): Promise<BrokenLane> {
  await access.put("subscriptions/lanes", {
    topics: ["calm.lanes"],
    startFrom: "earliest",
    ordering: "key",
    timeout: `${LANE_TIMEOUT_MS}ms`,
    retry: { maxAttempts: 50, schedule: ["50ms"] },
    target: { kind: "webhook", url: `${recorder.url}/lanes` },
  });
  const calmMs = await waitsOf(access, recorder, "calm", LANE_EVENTS);
  const othersMs = await waitsOf(access, recorder, "hung", LANE_EVENTS - LANE_EVENTS / KEYS);
  const hung = [...recorder.storiesOf("lanes").values()].filter(({ attempts }) => attempts[0]!.fate === "hung");
  return { calmMs, othersMs, hungAttempts: hung.reduce((sum, { attempts }) => sum + attempts.length, 0) };
}

/** By the events' ids their target knows which of them hang. */
async function waitsOf(
  access: HubAccess,
  recorder: DeliveryRecorder,
  prefix: string,
  count: number,
): Promise<readonly number[]> {
  await access.publish("calm.lanes", drafts(prefix, LANE_EVENTS));
  const publishedAt = Date.now();
  const waits = (): number[] =>
    firstWaitsMs(
      recorder.storiesOf("lanes"),
      publishedAt,
      ({ event, attempts }) => event.id.startsWith(prefix) && attempts[0]!.fate !== "hung",
    );
  await eventually(
    () => waits().length,
    (seen) => seen === count,
    `${count} first attempts`,
    30_000,
  );
  return waits();
}
