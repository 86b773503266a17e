/** For each planted bug the smallest workload that it spoils. Each is a use of the hub in which nothing may go wrong. */
import { objectName } from "../../../src/core/keys.ts";
import type { Judge } from "../../builders/delivery-recorder.ts";
import type { Hub, Page } from "../../harness/hub.ts";
import { Sink } from "../../harness/sink.ts";
import { eventually, pause } from "../../harness/wait.ts";
import { drain } from "../drain.ts";
import { seen } from "../history.ts";
import { partitionsOf } from "../topic-ends.ts";
import type { CheckerName } from "../verdict.ts";
import { Window } from "../workloads/members.ts";
import { Publishers, tellLog } from "../workloads/publishers.ts";
import { Targets, type TargetRow } from "../workloads/targets.ts";
import type { Workload, World } from "../world.ts";
import type { Faults } from "../hub/faults.ts";
import type { PlantName } from "./plants.ts";

export interface Stage {
  readonly hub: Hub;
  readonly world: World;
  /** Of this scenario alone, for whatever it makes. */
  readonly name: string;
  readonly drainWithinMs: number;
  spoil(faults: Partial<Faults>): Promise<void>;
}

export interface Scenario {
  readonly plant: PlantName;
  /** Who sees the bug; others may too. */
  readonly caughtBy: CheckerName;
  /** What its targets do; absent: they take everything. */
  readonly judge?: Judge;
  play(stage: Stage): Promise<void>;
}

const failing =
  (times: number): Judge =>
  (_subscription, _thing, attempt) =>
    attempt <= times ? "failed" : "taken";

export const SCENARIOS: readonly Scenario[] = [
  {
    plant: "acknowledge-before-commit",
    caughtBy: "lost",
    play: async ({ hub, world, name }) => {
      const publishers = new Publishers(world, { topic: name, publishers: 2, eventsMax: 3, restMs: 20 });
      publishers.begin();
      await eventually(
        () => publishers.acknowledged,
        (count) => count >= 10,
        "some are acknowledged",
      );
      await hub.killRuntime();
      await publishers.end();
      await publishers.tell();
    },
  },
  { plant: "skip-the-receipt", caughtBy: "undelivered", judge: failing(1), play: (stage) => deliver(stage, 20) },
  {
    plant: "advance-the-cursor-early",
    caughtBy: "undelivered",
    play: (stage) => deliver(stage, 60, { maxInFlight: 4 }),
  },
  {
    plant: "reuse-an-offset",
    caughtBy: "doubled offsets",
    play: async ({ hub, world, name }) => {
      const publishers = await publisherOf(world, name, { retention: { maxAge: "1s" } });
      await publishers.publishOnce(3);
      await untilTrimmed(world, name, 3);
      await hub.evict("TopicLog", objectName("log", "app_default", name, 0));
      await publishers.publishOnce(3);
      await publishers.tell();
    },
  },
  {
    plant: "dedup-by-d1-only",
    caughtBy: "doubled offsets",
    play: async ({ world, name }) => {
      // Two that begin alike are one that repeats what it was not answered.
      for (let time = 0; time < 2; time += 1) await (await publisherOf(world, name)).publishOnce(3);
      await tellLog(world, name);
    },
  },
  { plant: "alarm-that-throws", caughtBy: "undrained", judge: failing(1), play: (stage) => deliver(stage, 5) },
  { plant: "no-re-arm", caughtBy: "undrained", judge: failing(2), play: (stage) => deliver(stage, 5) },
  { plant: "follow-redirects", caughtBy: "stray requests", play: beRedirected },
  { plant: "ignore-the-epoch", caughtBy: "broken readings", play: readTwoLives },
  { plant: "leave-by-member", caughtBy: "untrue presence", play: closeOneOfTwoWindows },
  {
    plant: "retention-past-a-cursor",
    caughtBy: "wrong accounts",
    play: async (stage) => {
      const { world, name } = stage;
      const publishers = await publisherOf(world, name, { retention: { maxAge: "1s" } });
      const targets = await targetsOf(stage, {});
      await world.access.json("POST", `subscriptions/${name}/pause`, {});
      await publishers.publishOnce(20);
      await untilTrimmed(world, name, 20);
      await world.access.json("POST", `subscriptions/${name}/resume`, {});
      await finish(stage, [publishers, targets]);
    },
  },
  {
    plant: "double-settle",
    caughtBy: "wrong accounts",
    play: async (stage) => {
      await stage.spoil({ settlesLost: 1 });
      await deliver(stage, 60);
      await stage.spoil({ settlesLost: 0 });
    },
  },
];

/** Events to a webhook, until all have arrived. */
async function deliver(stage: Stage, events: number, definition: object = {}): Promise<void> {
  const publishers = await publisherOf(stage.world, stage.name);
  const targets = await targetsOf(stage, definition);
  await publishers.publishOnce(events);
  await finish(stage, [publishers, targets]);
}

async function publisherOf(world: World, topic: string, definition: object = {}): Promise<Publishers> {
  const publishers = new Publishers(world, { topic, publishers: 1, eventsMax: 1, restMs: 0, definition });
  await publishers.prepare();
  return publishers;
}

async function targetsOf({ world, name }: Stage, definition: object): Promise<Targets> {
  // No target is slow here, however busy the machine is.
  const patient = { timeout: "20s", ...definition };
  const row: TargetRow = { name, by: "webhook", takes: "all", order: "none", isBatched: false, definition: patient };
  const targets = new Targets(world, name, [row]);
  await targets.prepare();
  return targets;
}

async function finish({ world, drainWithinMs }: Stage, workloads: readonly Workload[]): Promise<void> {
  await drain(workloads, world.history, drainWithinMs);
  for (const workload of workloads) await workload.tell();
}

const untilTrimmed = async ({ access }: World, topic: string, through: number): Promise<unknown> =>
  eventually(
    async () => (await partitionsOf(access, topic))[0]!.firstOffset,
    (first) => first > through,
    "retention has taken everything",
  );

/** Whoever answers with a redirect names somebody who never asked for it. */
async function beRedirected(stage: Stage): Promise<void> {
  const { world, name } = stage;
  const elsewhere = await Sink.open();
  const sink = await Sink.open(() => ({ status: 307, headers: { location: elsewhere.url } }));
  try {
    const target = { kind: "webhook", url: sink.url };
    const definition = {
      topics: [name],
      startFrom: "earliest",
      target,
      retry: { maxAttempts: 1, schedule: ["100ms"] },
    };
    await world.access.put(`subscriptions/${name}`, definition);
    await (await publisherOf(world, name)).publishOnce(1);
    await eventually(
      async () => (await world.access.look(name)).stats,
      ({ delivered, dead }) => delivered + dead === 1,
      "the only attempt is over",
    );
    for (const { path } of elsewhere.deliveries)
      world.history.add({ op: "offence", kind: "stray", at: Date.now(), what: `POST ${path} at a stranger's` });
  } finally {
    await Promise.all([sink.close(), elsewhere.close()]);
  }
}

/** A cursor of a topic that was deleted is shown to the topic that bears its name now. */
async function readTwoLives({ hub, world, name }: Stage): Promise<void> {
  const { access, history } = world;
  await hub.publish(name, [
    { type: "step", data: 1 },
    { type: "step", data: 2 },
  ]);
  const { cursor } = await hub.read(name);
  await access.json("DELETE", `topics/${name}`);
  const publishers = await publisherOf(world, name);
  await publishers.publishOnce(5);
  const session = { op: "session", reader: "reader", topic: name, at: Date.now() } as const;
  history.add({ ...session, gaps: [], isFirst: true });
  const page: Page = await hub.read(name, { from: `cursor:${cursor}` });
  if (page.gap !== undefined) history.add({ ...session, gaps: [page.gap], isFirst: false });
  for (const event of page.events) history.add({ op: "frame", reader: "reader", at: Date.now(), event: seen(event) });
  await publishers.tell();
}

/** Longer than who closes a window may take to open it again. */
const GRACE_OVER_MS = 2_500;

async function closeOneOfTwoWindows({ world, name }: Stage): Promise<void> {
  const channel = `presence-${name}`;
  await world.access.put(`topics/${channel}`, {});
  const windows = ["ann", "ann", "bob"].map((user) => new Window(world, channel, user));
  const [first, ...others] = windows;
  const present = ["ann", "bob"];
  await eventually(
    () => windows.filter(({ members }) => members.join() === present.join()).length,
    (count) => count === windows.length,
    "all are there",
  );
  first!.close();
  await pause(GRACE_OVER_MS);
  for (const { user: by, members: seen } of others)
    world.history.add({ op: "members", channel, by, at: Date.now(), seen, present });
  for (const window of others) window.close();
}
