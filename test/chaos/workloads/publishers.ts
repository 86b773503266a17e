/** W1: publishers that wait for each answer and repeat what was not acknowledged, and now and then what was. */
import type { Receipt } from "../../harness/hub.ts";
import { seededRandom } from "../../harness/random.ts";
import { pause } from "../../harness/wait.ts";
import { contentOf, seen, type PublishLine } from "../history.ts";
import { partitionsOf } from "../topic-ends.ts";
import type { Workload, World } from "../world.ts";

export interface PublishPlan {
  readonly topic: string;
  readonly publishers: number;
  readonly eventsMax: number;
  /** Between two requests of one publisher, milliseconds. */
  readonly restMs: number;
  /** Resolves when there is room for more. */
  readonly pace?: (acknowledged: number) => Promise<void>;
  /** The definition of the topic; absent: the first publish makes it. */
  readonly definition?: object;
}

const KEYS = 40;
const REPEAT_AFTER_MS = 50;
const REPEATED_SHARE = 0.08;
const KEYED_SHARE = 0.2;

interface Draft {
  readonly id: string;
  readonly type: string;
  readonly source: string;
  readonly key: string;
  readonly data: { readonly number: number; readonly parity: "even" | "odd" };
}

interface Prepared {
  readonly drafts: readonly Draft[];
  readonly headers: Readonly<Record<string, string>>;
}

export class Publishers implements Workload {
  acknowledged = 0;
  readonly #world: World;
  readonly #plan: PublishPlan;
  #isOver = false;
  #working: Promise<unknown> = Promise.resolve();
  #published = 0;

  constructor(world: World, plan: PublishPlan) {
    this.#world = world;
    this.#plan = plan;
  }

  async prepare(): Promise<void> {
    const { topic, definition } = this.#plan;
    if (definition !== undefined) await this.#world.access.put(`topics/${topic}`, definition);
  }

  begin(): void {
    const all = Array.from({ length: this.#plan.publishers }, (_, publisher) => this.#publish(publisher));
    this.#working = Promise.all(all);
  }

  /** So many events in one request, all of one publisher: for whoever wants no more. */
  async publishOnce(count: number): Promise<void> {
    await this.#untilAcknowledged(
      "publisher",
      prepare(this.#plan.publishers, this.#published, count, () => 1),
      false,
    );
    this.#published += count;
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }

  async missing(): Promise<readonly string[]> {
    return [];
  }

  /** The log as it is. */
  async tell(): Promise<void> {
    await tellLog(this.#world, this.#plan.topic);
  }

  async #publish(publisher: number): Promise<void> {
    const random = seededRandom(this.#world.seed + 1_000 + publisher);
    let next = 0;
    let last: Prepared | null = null;
    while (!this.#isOver) {
      await this.#plan.pace?.(this.acknowledged);
      const again: boolean = last !== null && random() < REPEATED_SHARE;
      const size: number = random() < 0.5 ? 1 : 1 + Math.floor(random() * this.#plan.eventsMax);
      last = again ? last! : prepare(publisher, next, size, random);
      if (!again) next += size;
      await this.#untilAcknowledged(`publisher-${publisher}`, last, again);
      await pause(this.#plan.restMs * 2 * random());
    }
  }

  async #untilAcknowledged(actor: string, prepared: Prepared, isRepeat: boolean): Promise<void> {
    for (;;) {
      const outcome = await this.#ask(actor, prepared);
      if (outcome === "acknowledged" && !isRepeat) this.acknowledged += prepared.drafts.length;
      if (outcome !== "unknown") return;
      await pause(REPEAT_AFTER_MS);
    }
  }

  async #ask(actor: string, { drafts, headers }: Prepared): Promise<PublishLine["outcome"]> {
    const { topic } = this.#plan;
    const at = Date.now();
    const init = {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(drafts),
      signal: AbortSignal.timeout(GIVES_UP_AFTER_MS),
    };
    const answer = await this.#world
      .request(`/v1/topics/${topic}/events`, init)
      .then(readAnswer)
      .catch(() => UNKNOWN);
    const told = drafts.map(({ id, type, key, data }) => ({ id, content: contentOf(type, key, data) }));
    const places = answer.receipts.map(({ partition, offset }) => ({ partition, offset }));
    const { outcome } = answer;
    this.#world.history.add({ op: "publish", actor, topic, at, until: Date.now(), outcome, drafts: told, places });
    if (answer.wrong !== null)
      this.#world.history.add({ op: "offence", kind: "answer", at, what: `${actor} was answered ${answer.wrong}` });
    return outcome;
  }
}

const GIVES_UP_AFTER_MS = 20_000;

function prepare(publisher: number, first: number, size: number, random: () => number): Prepared {
  const drafts = Array.from({ length: size }, (_, index): Draft => {
    const number = first + index;
    return {
      id: `${publisher}-${number}`,
      type: "order.created",
      source: "/chaos",
      key: `k${(publisher * 17 + number) % KEYS}`,
      data: { number, parity: number % 2 === 0 ? "even" : "odd" },
    };
  });
  return { drafts, headers: random() < KEYED_SHARE ? { "idempotency-key": `${publisher}/${first}` } : {} };
}

interface PublishAnswer {
  readonly outcome: PublishLine["outcome"];
  readonly receipts: readonly Receipt[];
  /** An answer that nobody should get. */
  readonly wrong: string | null;
}

const UNKNOWN: PublishAnswer = { outcome: "unknown", receipts: [], wrong: null };

async function readAnswer(response: Response): Promise<PublishAnswer> {
  const text = await response.text();
  if (response.status === 503) return UNKNOWN;
  if (response.status >= 500) return { ...UNKNOWN, wrong: text };
  if (!response.ok) return { outcome: "refused", receipts: [], wrong: text };
  const { events } = JSON.parse(text) as { readonly events: readonly (Receipt | { readonly problem: object })[] };
  // Some partition refused: the whole request is repeated, and what was appended is found by its ids.
  if (events.some((receipt) => "problem" in receipt)) return UNKNOWN;
  return { outcome: "acknowledged", receipts: events as readonly Receipt[], wrong: null };
}

/** A topic with all that it holds, for the checkers. */
export async function tellLog({ access, history }: World, topic: string): Promise<void> {
  const events = (await access.readLog(topic)).map(seen);
  const ends = (await partitionsOf(access, topic)).map(({ partition, firstOffset, lastOffset }) => ({
    partition,
    firstHeld: firstOffset,
    head: lastOffset,
  }));
  history.add({ op: "log", topic, at: Date.now(), events, ends });
}
