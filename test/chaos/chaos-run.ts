/**
 * One run: a hub in processes of its own under every workload at once, one fault after the other as the seed draws
 * them, and then the time that it takes until nothing is owed. It only gathers; the checkers judge.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findFreePort } from "../../scripts/lib/ports.ts";
import { drawFate, FRAIL } from "../builders/delivery-fates.ts";
import { DeliveryRecorder, type Judge } from "../builders/delivery-recorder.ts";
import { HubAccess } from "../crash/hub-access.ts";
import { CuttableProxy } from "../harness/cuttable-proxy.ts";
import { ROOT_KEY } from "../harness/hub.ts";
import { seededRandom } from "../harness/random.ts";
import { PATIENCE_MS, pause } from "../harness/wait.ts";
import { drain, missingIn } from "./drain.ts";
import { HistoryLog, linesOf, type History } from "./history.ts";
import { bundleFaultyHub } from "./hub/bundle-faulty.ts";
import { HubTree } from "./hub/hub-tree.ts";
import { perform, type Stage } from "./nemeses.ts";
import { PLANTS, type PlantName } from "./plants/plants.ts";
import { Recording } from "./recording.ts";
import { schedule, type Pace } from "./schedule.ts";
import { Churn } from "./workloads/churn.ts";
import { DeadLetters, isPoisoned, LETTERS } from "./workloads/dead-letters.ts";
import { Members } from "./workloads/members.ts";
import { Publishers } from "./workloads/publishers.ts";
import { Readers } from "./workloads/readers.ts";
import { Targets } from "./workloads/targets.ts";
import type { Workload, World } from "./world.ts";

export interface ChaosPlan {
  readonly seed: number;
  /** Faults go on for so long, milliseconds, or are so many. */
  readonly until: { readonly runsMs: number } | { readonly acts: number };
  readonly pace: Pace;
  readonly drainWithinMs: number;
  readonly planted: PlantName | null;
  /** Where the history is written while it happens; null: nowhere. */
  readonly historyPath: string | null;
  /** Told of what happens, for people who wait. */
  say(what: string): void;
}

const TOPIC = "chaos.orders";
/** Waits for no delivery, so that it tells when the hub is back. */
const PULSE = "chaos.pulse";
const CHANNEL = "presence-chaos";
const PARTITIONS = 4;
const PUBLISHERS = 4;
const READERS = 3;
/** Publishing waits for deliveries, so that there is something of everything whenever the world goes wrong. */
const AHEAD_MAX = 150;
const SAMPLE_MS = 1_000;

export async function runChaos(plan: ChaosPlan): Promise<History> {
  const { seed } = plan;
  const folder = mkdtempSync(join(tmpdir(), "tidings-chaos-"));
  const history = new HistoryLog(plan.historyPath);
  const recording = new Recording();
  const recorder = await DeliveryRecorder.open(judgeOf(seed), (...attempt) => recording.note(...attempt));
  const bundle = await bundleFaultyHub(plan.planted === null ? [] : PLANTS);
  const vars = { PRESENCE_SILENCE_MS: "6000" };
  const hub = new HubTree({ bundle, port: await findFreePort(), persistTo: join(folder, "state"), vars }, plan.say);
  let network: CuttableProxy | null = null;
  try {
    await hub.start();
    network = await CuttableProxy.open(hub.url);
    const world = worldOf(seed, network, recorder, history);
    const workloads = workloadsOf(world, recorder);
    for (const workload of workloads) await workload.prepare();
    await hub.spoil({ planted: plan.planted });
    for (const workload of workloads) workload.begin();
    const sampler = new Sampler(workloads);
    await misbehave(plan, { hub, network, history });
    await Promise.all([...workloads.map((workload) => workload.end()), sampler.end()]);
    await drain(workloads, history, plan.drainWithinMs, plan.say);
    for (const workload of workloads) await workload.tell();
    recording.tell(history);
    return history.lines;
  } catch (error) {
    throw new Error(`the hub printed last:\n${hub.lines.slice(-20).join("\n")}`, { cause: error });
  } finally {
    await network?.close();
    await recorder.close();
    await hub.stop();
    for (const path of [folder, bundle.folder]) rmSync(path, { recursive: true, force: true });
  }
}

function workloadsOf(world: World, recorder: DeliveryRecorder): readonly Workload[] {
  const taken = (subscription: string): number => recorder.storiesOf(subscription).size;
  const pace = async (acknowledged: number): Promise<void> => {
    while (acknowledged - Math.min(taken("plain"), 2 * taken("even")) > AHEAD_MAX) await pause(20);
  };
  const plan = { topic: TOPIC, publishers: PUBLISHERS, eventsMax: 8, restMs: 250, pace };
  return [
    new Publishers(world, { ...plan, definition: { partitions: PARTITIONS } }),
    new Publishers(world, { topic: PULSE, publishers: 1, eventsMax: 1, restMs: 50 }),
    new Targets(world, TOPIC),
    new DeadLetters(world, TOPIC),
    new Readers(world, TOPIC, READERS),
    new Members(world, CHANNEL),
    new Churn(world),
  ];
}

const judgeOf =
  (seed: number): Judge =>
  (subscription, thing, attempt, event) => {
    if (subscription === LETTERS && event !== null) return isPoisoned(event.id, attempt) ? "failed" : "taken";
    return drawFate(seed, subscription, thing, attempt, FRAIL);
  };

function worldOf(
  seed: number,
  network: Pick<CuttableProxy, "url">,
  recorder: DeliveryRecorder,
  history: HistoryLog,
): World {
  const request = (path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${ROOT_KEY}`);
    return fetch(`${network.url}${path}`, {
      ...init,
      headers,
      signal: init.signal ?? AbortSignal.timeout(PATIENCE_MS),
    });
  };
  const access = new HubAccess(request);
  return { seed, request, access, socketUrl: network.url.replace("http", "ws"), recorder, history };
}

/** One fault after the other; resolves when the last one is over. */
async function misbehave({ seed, until: end, pace, say }: ChaosPlan, stage: Stage): Promise<void> {
  const endsAt = "runsMs" in end ? Date.now() + end.runsMs : Infinity;
  let actsLeft = "acts" in end ? end.acts : Infinity;
  for (const act of schedule(seededRandom(seed), pace)) {
    await pause(act.afterMs);
    if (Date.now() >= endsAt || actsLeft === 0) return;
    actsLeft -= 1;
    await perform(act, stage);
    const { at, until } = linesOf(stage.history.lines, "fault").at(-1)!;
    say(`${act.nemesis} for ${until - at} ms`);
  }
}

/** Asks for the books all the while; what cannot be asked is not counted. */
class Sampler {
  readonly #workloads: readonly Workload[];
  readonly #running: Promise<void>;
  #isOver = false;

  constructor(workloads: readonly Workload[]) {
    this.#workloads = workloads;
    this.#running = this.#run();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await missingIn(
        this.#workloads.filter((workload) => workload instanceof Targets || workload instanceof DeadLetters),
      );
      await pause(SAMPLE_MS);
    }
  }
}
