/**
 * One run of the crash test: publishers that repeat what was not acknowledged, a plug that is pulled five times, an
 * observer that asks for the ledgers all the while. It only gathers; the tests judge.
 */
import { HubProcess } from "../harness/hub-process.ts";
import { seededRandom } from "../harness/random.ts";
import { Sink } from "../harness/sink.ts";
import type { WireEvent } from "../harness/socket.ts";
import { eventually, pause } from "../harness/wait.ts";
import { Load, type Request } from "../builders/load.ts";

export interface CrashPlan {
  readonly seed: number;
  readonly port: number;
  readonly persistTo: string;
  readonly events: number;
  readonly publishers: number;
  /** The plug is pulled when so many events are acknowledged. */
  readonly killsAt: readonly number[];
  /** How often a sink answers 500. */
  readonly failureRate: number;
}

export type Stats = Readonly<
  Record<"owed" | "inFlight" | "delivered" | "dead" | "expired" | "skipped" | "discarded" | "lag" | "matched", number>
>;

export interface CrashRun {
  /** Offset by id, as the hub acknowledged it. */
  readonly acknowledged: ReadonlyMap<string, number>;
  /** Ids whose repeats were answered with another offset than before. */
  readonly moved: readonly string[];
  readonly log: readonly WireEvent[];
  readonly sinks: readonly Sink[];
  /** Every answer the observer got. */
  readonly samples: readonly Stats[];
  readonly finalStats: readonly (Stats | null)[];
  readonly figures: Readonly<Record<string, number>>;
}

export const SUBSCRIPTIONS = ["crash-left", "crash-right"];
const TOPIC = "crash.orders";
const SAMPLE_MS = 200;
const SETTLED_WITHIN_MS = 90_000;

export async function runCrash(plan: CrashPlan): Promise<CrashRun> {
  const startedAt = Date.now();
  const start = (): Promise<HubProcess> => HubProcess.start({ port: plan.port, persistTo: plan.persistTo });
  let hub = await start();
  const sinks = await Promise.all(SUBSCRIPTIONS.map((_name, index) => openSink(plan, index)));
  try {
    await Promise.all(SUBSCRIPTIONS.map((name, index) => subscribe(hub, name, sinks[index]!.url)));
    const load = new Load({ ...plan, topic: TOPIC, draftOf });
    const observer = new Observer((path) => hub.request(path));
    const publishing = load.publishAll((path, init) => hub.request(path, init));
    for (const threshold of plan.killsAt) {
      await load.reaches(threshold);
      await hub.kill9();
      hub = await start();
    }
    await publishing;
    const publishedMs = Date.now() - startedAt;
    const finalStats = await settled(hub);
    await observer.end();
    const log = await readLog(hub);
    const { acknowledged, moved, requests, repeats } = load;
    const figures = { publishedMs, settledMs: Date.now() - startedAt, requests, repeats };
    return { acknowledged, moved, log, sinks, samples: observer.samples, finalStats, figures };
  } finally {
    await Promise.all(sinks.map((sink) => sink.close()));
    await hub.stop();
  }
}

function openSink({ seed, failureRate }: CrashPlan, index: number): Promise<Sink> {
  const random = seededRandom(seed + index + 1);
  return Sink.open(() => (random() < failureRate ? 500 : 204));
}

async function subscribe(hub: HubProcess, name: string, url: string): Promise<void> {
  const response = await hub.request(`/v1/subscriptions/${name}`, {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      topics: ["crash.*"],
      startFrom: "earliest",
      target: { kind: "webhook", url },
      retry: { maxAttempts: 20, schedule: ["100ms", "200ms", "500ms"] },
    }),
  });
  if (response.status !== 201) throw new Error(`PUT was answered ${response.status}: ${await response.text()}`);
}

const draftOf = (publisher: number, number: number): object => ({
  id: `${publisher}-${number}`,
  type: "order.created",
  source: "/crash",
  key: `order-${number % 97}`,
  data: { publisher, number },
});

/** Asks for both ledgers over and over; what cannot be asked while the plug is out is not counted. */
class Observer {
  readonly samples: Stats[] = [];
  readonly #request: Request;
  readonly #running: Promise<void>;
  #ended = false;

  constructor(request: Request) {
    this.#request = request;
    this.#running = this.#run();
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#ended) {
      for (const name of SUBSCRIPTIONS) {
        const stats = await readStats(this.#request, name).catch(() => null);
        if (stats !== null) this.samples.push(stats);
      }
      await pause(SAMPLE_MS);
    }
  }
}

async function readStats(request: Request, name: string): Promise<Stats | null> {
  const response = await request(`/v1/subscriptions/${name}`);
  return response.ok ? ((await response.json()) as { stats: Stats }).stats : null;
}

function settled(hub: HubProcess): Promise<(Stats | null)[]> {
  const look = (): Promise<(Stats | null)[]> =>
    Promise.all(SUBSCRIPTIONS.map((name) => readStats((path) => hub.request(path), name)));
  const isSettled = (stats: Stats | null): boolean => stats !== null && stats.lag === 0 && stats.owed === 0;
  return eventually(look, (all) => all.every(isSettled), "both ledgers are settled", SETTLED_WITHIN_MS);
}

async function readLog(hub: HubProcess): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  let from = "earliest";
  for (;;) {
    const response = await hub.request(`/v1/topics/${TOPIC}/events?limit=1000&from=${from}`);
    const page = (await response.json()) as { events: WireEvent[]; cursor: string; caughtUp: boolean };
    events.push(...page.events);
    if (page.caughtUp) return events;
    from = `cursor:${page.cursor}`;
  }
}
