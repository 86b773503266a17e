/**
 * One run of the acceptance test of delivery: a log under load, a row of subscriptions whose targets fail in every way
 * that targets fail, and a plug that is pulled three times. It only gathers; the tests judge.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { drawFate } from "../builders/delivery-fates.ts";
import { PullCrew } from "../builders/delivery-pull-crew.ts";
import { DeliveryRecorder, wasTaken, type Judge } from "../builders/delivery-recorder.ts";
import { Load } from "../builders/load.ts";
import { REPOSITORY } from "../harness/bundle.ts";
import { HubProcess } from "../harness/hub-process.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually, pause } from "../harness/wait.ts";
import type { Books, Outage } from "./delivery-checks.ts";
import {
  BROKEN_KEY,
  BROKEN_ROW,
  draftOf,
  IN_FLIGHT_MAX,
  MAX_ATTEMPTS,
  POISON,
  ROWS,
  STEP_MS,
  type Row,
} from "./delivery-rows.ts";
import { breakLane, endFor, SIDELINES, type BrokenLane, type Endings } from "./delivery-sidelines.ts";
import { HubAccess, type Stats } from "./hub-access.ts";

export interface DeliveryPlan {
  readonly seed: number;
  readonly port: number;
  readonly persistTo: string;
  readonly events: number;
  /** The plug is pulled when so many events are acknowledged. */
  readonly killsAt: readonly number[];
}

export interface DeliveryRun {
  readonly log: readonly WireEvent[];
  readonly recorder: DeliveryRecorder;
  readonly outages: readonly Outage[];
  /** By row, every answer that the observer got while the hub could be asked. */
  readonly samples: ReadonlyMap<string, readonly Books[]>;
  /** By row, at the end. */
  readonly stats: ReadonlyMap<string, Stats>;
  /** By row, the ids of the events that are dead letters at the end. */
  readonly dead: ReadonlyMap<string, readonly string[]>;
  /** Of the broken key's events, how many were taken when all others of its row were through. */
  readonly brokenTaken: number;
  readonly endings: Endings;
  readonly lane: BrokenLane;
  readonly figures: Readonly<Record<string, unknown>>;
}

const TOPIC = "crash.orders";
const PARTITIONS = 8;
const PUBLISHERS = 8;
const PULL_WORKERS = 2;
/** Publishing waits for deliveries, so that the plug is pulled while there are some of everything. */
const AHEAD_MAX = 150;
/** Each answer costs the hub a question to every partition's log. */
const SAMPLE_MS = 1_000;

export async function runDelivery(plan: DeliveryPlan): Promise<DeliveryRun> {
  const startedAt = Date.now();
  const { port, persistTo } = plan;
  const recorder = await DeliveryRecorder.open(judgeOf(plan.seed, true));
  const consumers = [writeConsumer(persistTo, recorder.url)];
  const start = (): Promise<HubProcess> => HubProcess.start({ port, persistTo, consumers });
  let hub = await start();
  const access = new HubAccess((path, init) => hub.request(path, init));
  const crews = ROWS.filter(({ by }) => by === "pull").map(
    ({ name }) => new PullCrew((path, init) => hub.request(path, init), recorder, name, PULL_WORKERS),
  );
  const observer = new Observer(access);
  try {
    await access.put(`topics/${TOPIC}`, { partitions: PARTITIONS });
    for (const row of ROWS) await access.put(`subscriptions/${row.name}`, definitionOf(row, recorder.url));
    const endings = await endFor(access, recorder);
    const load = loadOf(plan, recorder);
    const publishing = load.publishAll((path, init) => hub.request(path, init));
    const outages: Outage[] = [];
    for (const threshold of plan.killsAt) {
      await load.reaches(threshold);
      const from = Date.now();
      await hub.kill9();
      outages.push({ from, until: Date.now() });
      hub = await start();
    }
    await publishing;
    const publishedMs = Date.now() - startedAt;
    const log = await access.readLog(TOPIC);
    const brokenTaken = await othersAreThrough(log, recorder);
    recorder.judge(judgeOf(plan.seed, false));
    const stats = await settled(access, plan.events);
    await observer.end();
    const settledMs = Date.now() - startedAt;
    const dead = new Map<string, readonly string[]>();
    for (const { name } of ROWS) dead.set(name, await access.deadEvents(name));
    await endings.tempt();
    const lane = await breakLane(access, recorder);
    await endings.end();
    const figures = { publishedMs, settledMs, allMs: Date.now() - startedAt, repeats: load.repeats };
    return { log, recorder, outages, samples: observer.samples, stats, dead, brokenTaken, endings, lane, figures };
  } catch (error) {
    throw new Error(`the hub printed last:\n${hub.lines.slice(-20).join("\n")}`, { cause: error });
  } finally {
    await observer.end();
    await Promise.all(crews.map((crew) => crew.end()));
    await recorder.close();
    await hub.stop();
  }
}

const loadOf = ({ seed, events }: DeliveryPlan, recorder: DeliveryRecorder): Load =>
  new Load({
    seed,
    topic: TOPIC,
    events,
    publishers: PUBLISHERS,
    draftOf,
    pace: async (acknowledged) => {
      while (acknowledged - recorder.storiesOf("plain").size > AHEAD_MAX) await pause(20);
    },
  });

const judgeOf =
  (seed: number, isBroken: boolean): Judge =>
  (row, thing, attempt, event) => {
    const beside = SIDELINES[row];
    if (beside !== undefined) return beside(event!);
    if (event !== null && POISON.has(event.id)) return "failed";
    if (isBroken && row === BROKEN_ROW && event?.partitionkey === BROKEN_KEY) return "failed";
    return drawFate(seed, row, thing, attempt);
  };

const definitionOf = ({ name, by, definition }: Row, url: string): object => ({
  topics: [TOPIC],
  startFrom: "earliest",
  timeout: "1s",
  maxInFlight: IN_FLIGHT_MAX,
  retry: { maxAttempts: MAX_ATTEMPTS, schedule: [`${STEP_MS}ms`] },
  target: targetOf(name, by, url),
  ...definition,
});

function targetOf(name: string, by: Row["by"], url: string): object {
  switch (by) {
    case "webhook":
      return { kind: "webhook", url: `${url}/${name}` };
    case "worker":
      return { kind: "worker", binding: "CONSUMER_RECORDED" };
    case "pull":
      return { kind: "pull" };
  }
}

/** Answers the path of the configuration of a Worker that asks the recorder. */
function writeConsumer(folder: string, recorderUrl: string): string {
  const path = join(folder, "recorded.toml");
  const main = join(REPOSITORY, "test", "builders", "delivery-consumer.ts");
  const lines = ['name = "recorded"', `main = "${main}"`, 'compatibility_date = "2026-10-20"', "send_metrics = false"];
  writeFileSync(path, [...lines, "[vars]", `RECORDER = "${recorderUrl}"`, ""].join("\n"));
  return path;
}

/** Resolves with what was taken of the broken key when everything else of its row is. */
async function othersAreThrough(log: readonly WireEvent[], recorder: DeliveryRecorder): Promise<number> {
  const isBroken = ({ partitionkey }: WireEvent): boolean => partitionkey === BROKEN_KEY;
  const others = log.filter((event) => !isBroken(event) && !POISON.has(event.id)).length;
  const taken = (): WireEvent[] =>
    [...recorder.storiesOf(BROKEN_ROW).values()]
      .filter(({ attempts }) => attempts.some(wasTaken))
      .map(({ event }) => event);
  await eventually(
    () => taken().filter((event) => !isBroken(event)).length,
    (count) => count === others,
    `${others} deliveries of other keys`,
    60_000 + log.length * 20,
  );
  return taken().filter(isBroken).length;
}

async function settled(access: HubAccess, events: number): Promise<ReadonlyMap<string, Stats>> {
  const look = async (): Promise<[string, Stats | null][]> => {
    await pause(SAMPLE_MS);
    return Promise.all(ROWS.map(async ({ name }) => [name, await access.stats(name)] as [string, Stats | null]));
  };
  const isSettled = (stats: Stats | null): boolean => stats !== null && stats.lag === 0 && stats.owed === 0;
  const all = await eventually(
    look,
    (rows) => rows.every(([, stats]) => isSettled(stats)),
    "all ledgers are settled",
    60_000 + events * 20,
  );
  return new Map(all as [string, Stats][]);
}

/** Asks for every ledger over and over; what cannot be asked while the plug is out is not counted. */
class Observer {
  readonly samples = new Map<string, Books[]>(ROWS.map(({ name }) => [name, []]));
  readonly #access: HubAccess;
  readonly #running: Promise<void>;
  #ended = false;

  constructor(access: HubAccess) {
    this.#access = access;
    this.#running = this.#run();
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      for (const { name } of ROWS) {
        const stats = await this.#access.stats(name).catch(() => null);
        if (stats !== null) this.samples.get(name)!.push(stats);
      }
      await pause(SAMPLE_MS);
    }
  }
}
