/** The publishers of a crash run: each repeats what was not acknowledged, under the same ids. */
import type { Receipt } from "../harness/hub.ts";
import { seededRandom } from "../harness/random.ts";
import { eventually, pause } from "../harness/wait.ts";

export interface LoadPlan {
  readonly seed: number;
  readonly topic: string;
  readonly events: number;
  readonly publishers: number;
  draftOf(publisher: number, number: number): object;
  /** Resolves when the next request may go out; absent: at once. */
  pace?(acknowledged: number): Promise<void>;
}

export type Request = (path: string, init?: RequestInit) => Promise<Response>;

const REACHED_WITHIN_MS = 120_000;

/** Each publisher sends its own events in order and goes on only when the hub has acknowledged the last ones. */
export class Load {
  /** Offset by id. */
  readonly acknowledged = new Map<string, number>();
  /** Ids whose repeats were answered with another offset than before. */
  readonly moved: string[] = [];
  requests = 0;
  repeats = 0;
  readonly #plan: LoadPlan;

  constructor(plan: LoadPlan) {
    this.#plan = plan;
  }

  async publishAll(request: Request): Promise<void> {
    const publishers = Array.from({ length: this.#plan.publishers }, (_, publisher) => publisher);
    await Promise.all(publishers.map((publisher) => this.#publish(publisher, request)));
  }

  reaches(threshold: number): Promise<number> {
    return eventually(
      () => this.acknowledged.size,
      (size) => size >= threshold,
      `${threshold} acknowledged`,
      REACHED_WITHIN_MS,
    );
  }

  async #publish(publisher: number, request: Request): Promise<void> {
    const { seed, events, publishers } = this.#plan;
    const random = seededRandom(seed + 1_000 + publisher);
    let next = 0;
    const total = Math.floor(events / publishers);
    while (next < total) {
      const size = random() < 0.5 ? 1 : 2 + Math.floor(random() * 24);
      const numbers = Array.from({ length: Math.min(size, total - next) }, (_, index) => next + index);
      await this.#plan.pace?.(this.acknowledged.size);
      await this.#untilAcknowledged(
        request,
        numbers.map((number) => this.#plan.draftOf(publisher, number)),
      );
      next += numbers.length;
    }
  }

  async #untilAcknowledged(request: Request, drafts: readonly object[]): Promise<void> {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(drafts) };
    for (;;) {
      this.requests += 1;
      const receipts = await send(request, this.#plan.topic, init);
      if (receipts !== null) return this.#note(receipts);
      this.repeats += 1;
      await pause(50);
    }
  }

  #note(receipts: readonly Receipt[]): void {
    for (const { id, offset } of receipts) {
      const before = this.acknowledged.get(id);
      if (before !== undefined && before !== offset) this.moved.push(id);
      this.acknowledged.set(id, offset);
    }
  }
}

/** Null when nobody can say whether it was appended: the plug may have been pulled in between. */
async function send(request: Request, topic: string, init: RequestInit): Promise<Receipt[] | null> {
  const response = await request(`/v1/topics/${topic}/events`, init).catch(() => null);
  if (response === null || response.status >= 500) return null;
  const body = (await response.json().catch(() => null)) as { events: Receipt[] } | null;
  if (body !== null && !response.ok) throw new Error(`a publish was refused: ${JSON.stringify(body)}`);
  return body?.events ?? null;
}
