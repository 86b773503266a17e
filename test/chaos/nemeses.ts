/** Carries out what the schedule says, and writes down from when until when the world was wrong. */
import type { CuttableProxy } from "../harness/cuttable-proxy.ts";
import { pause } from "../harness/wait.ts";
import type { HistoryLog } from "./history.ts";
import type { HubTree } from "./hub/hub-tree.ts";
import type { Act, Nemesis } from "./schedule.ts";

export interface Stage {
  readonly hub: HubTree;
  /** Between clients and the hub. */
  readonly network: CuttableProxy;
  readonly history: HistoryLog;
}

/** Evicted are those that hold most in memory. */
const EVICTED = ["TopicLog", "Subscription", "ChannelHub", "PresenceRoom"];

/** Longer than every lease, shorter than every token; steps back are small, as clocks are set right. */
const CLOCK_AHEAD_MS = 60_000;
const CLOCK_BACK_MS = 2_000;

/** Resolves when the world is well again. */
export async function perform(act: Act, stage: Stage): Promise<void> {
  const at = Date.now();
  await ACTS[act.nemesis](act, stage);
  stage.history.add({
    op: "fault",
    nemesis: act.nemesis,
    at,
    until: Date.now(),
    isKill: act.nemesis === "kill-all" || act.nemesis === "kill-runtime",
    excusesRepeats: EXCUSING.has(act.nemesis),
  });
}

/** What keeps a consumer's report from the ledger. The others must cost nobody a repeat. */
const EXCUSING: ReadonlySet<Nemesis> = new Set([
  "kill-all",
  "kill-runtime",
  "pause",
  "clock",
  "answers",
  "aborts",
  "evictions",
]);

const ACTS: Record<Nemesis, (act: Act, stage: Stage) => Promise<void>> = {
  "kill-all": async (_act, { hub }) => {
    await hub.killAll();
    await hub.start();
  },
  "kill-runtime": (_act, { hub }) => hub.killRuntime(),
  pause: async ({ forMs }, { hub }) => {
    hub.pause();
    await pause(forMs);
    hub.resume();
  },
  reset: async (_act, { network }) => network.drop(),
  cut: async ({ forMs }, { network }) => {
    network.cut();
    await pause(forMs / 2);
    network.mend();
  },
  stall: async ({ forMs }, { network }) => {
    network.stall();
    await pause(forMs);
    network.flow();
  },
  clock: async ({ strength, forMs }, { hub }) => {
    const { skewMs } = hub.faults;
    await hub.spoil({ skewMs: skewMs + (strength < 0.3 ? -CLOCK_BACK_MS : Math.round(CLOCK_AHEAD_MS * strength)) });
    await pause(forMs / 2); // What it makes late is late for so long at most.
  },
  queue: async ({ forMs, strength }, { hub }) => {
    const wrong = { queueDrops: 0.3, queueDoubles: 0.3, queueLateMs: 100 + 400 * strength };
    await spoilFor(hub, forMs, wrong, { queueDrops: 0, queueDoubles: 0, queueLateMs: 0 });
  },
  database: ({ forMs, strength }, { hub }) =>
    spoilFor(hub, forMs, { databaseFails: 0.2 + 0.8 * strength }, { databaseFails: 0 }),
  answers: ({ forMs, strength }, { hub }) =>
    spoilFor(hub, forMs, { answersLost: 0.1 + 0.4 * strength }, { answersLost: 0 }),
  aborts: ({ forMs, strength }, { hub }) => spoilFor(hub, forMs, { aborts: 0.05 + 0.15 * strength }, { aborts: 0 }),
  evictions: async (_act, { hub }) => {
    await Promise.all(EVICTED.map((className) => hub.evictAll(className)));
  },
};

async function spoilFor(
  hub: HubTree,
  forMs: number,
  wrong: Parameters<HubTree["spoil"]>[0],
  right: Parameters<HubTree["spoil"]>[0],
): Promise<void> {
  await hub.spoil(wrong);
  await pause(forMs);
  await hub.spoil(right);
}
