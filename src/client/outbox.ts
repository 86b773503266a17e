/**
 * What was published and not yet acknowledged. Each event has an id of its own before it is first sent, so sending it
 * again appends it once; each topic sends one request at a time, so its order stays. Nothing leaves but with a receipt
 * or with an error for its publisher.
 */
import type { Problem } from "../wire/native/problem.ts";
import { asError, refusalOf, TidingsError } from "./client-error.ts";
import { backoffMs, type Clock } from "./platform.ts";
import { eventsPath, type Requests } from "./requests.ts";

export interface Receipt {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  /** Behind it a reader sees what came later. */
  readonly cursor: string;
  readonly duplicate: boolean;
}

/** Of an event that waits for its time. */
export interface ScheduledReceipt {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly scheduled: true;
  /** RFC 3339. */
  readonly deliverAt: string;
  readonly duplicate: boolean;
}

interface Entry {
  /** The draft as JSON. */
  readonly text: string;
  /** Rejects when the draft must not be sent. */
  readonly checked: Promise<void>;
  resolve(receipt: Receipt): void;
  reject(error: TidingsError): void;
}

const REQUEST_EVENTS_MAX = 100;
/** An event is ≤ 256 KB and a request ≤ 1 MB of UTF-8, of which a char is at most three bytes. */
const REQUEST_CHARS_MAX = 256 * 1_024;

export class Outbox {
  readonly #requests: Requests;
  readonly #clock: Clock;
  readonly #entriesMax: number;
  /** By the address of the topic's events; a queue that is there is being sent. */
  readonly #queues = new Map<string, Entry[]>();
  #size = 0;
  #closed = false;
  #waits = new Set<() => void>();
  #flushes: (() => void)[] = [];

  constructor(requests: Requests, clock: Clock, entriesMax: number) {
    this.#requests = requests;
    this.#clock = clock;
    this.#entriesMax = entriesMax;
  }

  /** Events that were taken and have neither a receipt nor an error. */
  get size(): number {
    return this.#size;
  }

  /** Takes nothing of a topic that no request could name. */
  async add(topic: string, text: string, checked: Promise<void>): Promise<Receipt> {
    checked.catch(() => undefined); // Looked at when its turn comes.
    const path = eventsPath(topic);
    if (this.#closed) throw new TidingsError("hub_closed");
    if (this.#size >= this.#entriesMax) throw new TidingsError("outbox_full");
    this.#size += 1;
    return new Promise((resolve, reject) => {
      const entry = { text, checked, resolve, reject };
      const queue = this.#queues.get(path);
      if (queue !== undefined) return queue.push(entry);
      this.#queues.set(path, [entry]);
      return void this.#drain(path, this.#queues.get(path)!);
    });
  }

  /** Tries again at once what waits for its next try. */
  hurry(): void {
    for (const go of this.#waits) go();
  }

  /** Resolves when nothing waits any more. */
  flush(): Promise<void> {
    return this.#size === 0 ? Promise.resolve() : new Promise((resolve) => this.#flushes.push(resolve));
  }

  /** Whoever still waits is told; what is under way may have arrived all the same. */
  close(): void {
    this.#closed = true;
    for (const queue of this.#queues.values()) {
      for (const entry of queue.splice(0)) this.#settle(() => entry.reject(new TidingsError("hub_closed")));
    }
    this.hurry();
  }

  async #drain(path: string, queue: Entry[]): Promise<void> {
    await Promise.resolve(); // What is published in the same turn shares a request.
    let tries = 0;
    let alone = 0; // So many are sent one by one, because together they were refused.
    while (queue.length > 0) {
      if (!(await this.#isGood(queue))) continue;
      const batch = alone > 0 ? queue.slice(0, 1) : await this.#take(queue);
      const error = await this.#send(path, queue, batch);
      if (error === null) {
        tries = 0;
        alone = Math.max(0, alone - batch.length);
      } else if (error.retryable) {
        await this.#wait(Math.max(error.retryAfterMs, backoffMs(this.#clock, tries)));
        tries += 1;
      } else if (batch.length === 1) {
        alone = Math.max(0, alone - 1);
        this.#leave(queue, batch[0]!, (entry) => entry.reject(error));
      } else {
        alone = batch.length;
      }
    }
    this.#queues.delete(path);
  }

  /** Whether the first one may be sent; it leaves when not. */
  async #isGood(queue: Entry[]): Promise<boolean> {
    const first = queue[0]!;
    const error = await first.checked.then(
      () => null,
      (thrown: unknown) => asError(thrown, "data_invalid"),
    );
    if (error !== null) this.#leave(queue, first, (entry) => entry.reject(error));
    return error === null && queue[0] === first;
  }

  /** The first ones that are good and fit a request together. */
  async #take(queue: readonly Entry[]): Promise<Entry[]> {
    const batch: Entry[] = [];
    let chars = 0;
    for (const entry of queue.slice(0, REQUEST_EVENTS_MAX)) {
      chars += entry.text.length;
      if (batch.length > 0 && chars > REQUEST_CHARS_MAX) break;
      const isGood = await entry.checked.then(
        () => true,
        () => false,
      );
      if (!isGood) break;
      batch.push(entry);
    }
    return batch;
  }

  /** Answers what is in the way of those that are left of the batch; null: each was settled. */
  async #send(path: string, queue: Entry[], batch: readonly Entry[]): Promise<TidingsError | null> {
    const body = `[${batch.map(({ text }) => text).join(",")}]`;
    let left: TidingsError | null = null;
    try {
      const { events } = await this.#requests.ask<PublishAnswer>("POST", path, body);
      for (const [index, entry] of batch.entries()) {
        const { problem, ...receipt } = events[index]!;
        const error = problem === undefined ? null : refusalOf(problem);
        if (error?.retryable === true) left = error;
        else if (error !== null) this.#leave(queue, entry, () => entry.reject(error));
        else this.#leave(queue, entry, () => entry.resolve(receipt));
      }
    } catch (error) {
      return asError(error, "answer_invalid");
    }
    return left;
  }

  #leave(queue: Entry[], entry: Entry, settle: (entry: Entry) => void): void {
    const at = queue.indexOf(entry);
    if (at < 0) return; // The client was closed meanwhile, and has told it.
    queue.splice(at, 1);
    this.#settle(() => settle(entry));
  }

  #settle(settle: () => void): void {
    settle();
    this.#size -= 1;
    if (this.#size === 0) for (const flushed of this.#flushes.splice(0)) flushed();
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        cancel();
        this.#waits.delete(go);
        resolve();
      };
      const cancel = this.#clock.after(ms, go);
      this.#waits.add(go);
    });
  }
}

interface PublishAnswer {
  /** A partition that refused says so in the place of its receipts. */
  readonly events: readonly (Receipt & { readonly problem?: Problem })[];
}
