/** W3 and W4: subscriptions whose targets fail as targets fail, called by the hub or pulling from it. */
import { PullCrew } from "../../builders/delivery-pull-crew.ts";
import type { Workload, World } from "../world.ts";
import type { SubscriptionLine } from "../history.ts";

export interface TargetRow extends Pick<SubscriptionLine, "name" | "takes" | "order" | "isBatched"> {
  readonly by: "webhook" | "pull";
  /** Beside the topic and the target. */
  readonly definition: object;
}

/**
 * What every subscription asks for; a row's own definition comes behind it. The timeout is one that a hub on a busy
 * machine keeps: what a target has taken and the hub has given up comes again.
 */
const STEADY = { startFrom: "earliest", timeout: "5s", retry: { maxAttempts: 40, schedule: ["200ms"] } };
const EVEN = { data: { parity: ["even"] } };

export const TARGET_ROWS: readonly TargetRow[] = [
  { name: "plain", by: "webhook", takes: "all", order: "none", isBatched: false, definition: {} },
  { name: "key", by: "webhook", takes: "all", order: "key", isBatched: false, definition: { ordering: "key" } },
  {
    name: "even",
    by: "webhook",
    takes: "even",
    order: "partition",
    isBatched: false,
    definition: { ordering: "strict", filter: EVEN },
  },
  {
    name: "batch",
    by: "webhook",
    takes: "all",
    order: "none",
    isBatched: true,
    definition: { mode: "batch", batch: { maxEvents: 10, maxWait: "100ms" } },
  },
  { name: "pull", by: "pull", takes: "all", order: "none", isBatched: false, definition: {} },
];

const PULL_WORKERS = 2;

export class Targets implements Workload {
  readonly #world: World;
  readonly #topic: string;
  readonly #rows: readonly TargetRow[];
  #crews: PullCrew[] = [];

  constructor(world: World, topic: string, rows: readonly TargetRow[] = TARGET_ROWS) {
    this.#world = world;
    this.#topic = topic;
    this.#rows = rows;
  }

  async prepare(): Promise<void> {
    const { access, recorder, history } = this.#world;
    for (const { name, by, takes, order, isBatched, definition } of this.#rows) {
      const target = by === "pull" ? { kind: "pull" } : { kind: "webhook", url: `${recorder.url}/${name}` };
      await access.put(`subscriptions/${name}`, { topics: [this.#topic], ...STEADY, target, ...definition });
      history.add({ op: "subscription", name, topic: this.#topic, at: Date.now(), takes, order, isBatched });
    }
  }

  begin(): void {
    const { request, recorder } = this.#world;
    this.#crews = this.#rows
      .filter(({ by }) => by === "pull")
      .map(({ name }) => new PullCrew(request, recorder, name, PULL_WORKERS));
  }

  async end(): Promise<void> {}

  missing(): Promise<readonly string[]> {
    return owedBy(
      this.#world,
      this.#rows.map(({ name }) => name),
    );
  }

  async tell(): Promise<void> {
    await Promise.all(this.#crews.map((crew) => crew.end()));
    for (const { name } of this.#rows) await tellBooks(this.#world, name);
  }
}

export async function owedBy({ access, history }: World, names: readonly string[]): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const subscription of names) {
    const { state, stats } = await access.look(subscription);
    history.add({ op: "books", subscription, at: Date.now(), isAtRest: false, books: stats });
    if (stats.owed > 0 || stats.lag > 0)
      missing.push(`${subscription} (${state}) owes ${stats.owed}, lags ${stats.lag}`);
  }
  return missing;
}

/** What the hub says of it at the end. */
export async function tellBooks({ access, history }: World, subscription: string): Promise<void> {
  const { stats } = await access.look(subscription);
  history.add({ op: "books", subscription, at: Date.now(), isAtRest: true, books: stats });
  const events = await access.deadEvents(subscription);
  history.add({ op: "letters", subscription, at: Date.now(), events });
}
