/** One page over all partitions of a topic: each event once, each partition in order, and one cursor for the rest. */
import type { Cursor } from "../core/cursor.ts";
import { splitLines } from "../core/event.ts";
import type { Filter } from "../core/filter.ts";
import { LIMITS } from "../core/limits.ts";
import type { Position } from "../core/position.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { Gap, ReadPage, ReadStart } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import type { TopicRecord } from "../store/topics-store.ts";
import { topicLog } from "../stubs.ts";
import { lifeOf } from "./topic-life.ts";

export interface EventsQuery {
  readonly from: Position;
  readonly eventsMax: number;
  /** Null: all. */
  readonly partition: number | null;
  /** One key's stream, through its index; null: the log. */
  readonly key: string | null;
  readonly filter: Filter;
}

export interface EventsPage {
  /** Event lines joined by commas: the inside of a JSON array. */
  readonly events: string;
  readonly count: number;
  readonly cursor: Cursor;
  readonly caughtUp: boolean;
  /** The first that was met; a reader of several partitions asks each for its own by `partition`. */
  readonly gap: Gap | null;
}

/** Failures: those of `TopicLog.read`, `partition_required`, `parameter_invalid`. */
export async function readEvents(env: Env, topic: TopicRecord, query: EventsQuery): Promise<Result<EventsPage>> {
  const reader = new Reader(env, topic, query);
  const refusal = reader.check();
  return refusal ?? reader.readRounds();
}

class Reader {
  readonly #env: Env;
  readonly #topic: TopicRecord;
  readonly #query: EventsQuery;
  readonly #offsets: Map<number, number>;
  readonly #lines: string[] = [];
  #count = 0;
  #bytes = 0;
  #examined = 0;
  #gap: Gap | null = null;

  constructor(env: Env, topic: TopicRecord, query: EventsQuery) {
    this.#env = env;
    this.#topic = topic;
    this.#query = query;
    const resumes = query.from.kind === "cursor" && query.from.cursor.epoch === topic.epoch;
    this.#offsets = new Map(resumes ? (query.from as { cursor: Cursor }).cursor.offsets : []);
  }

  check(): Result<never> | null {
    const { partition, from, key } = this.#query;
    const { partitions } = this.#topic;
    if (partition !== null && partition >= partitions) {
      return fail("parameter_invalid", "The topic has no such partition.", {
        limit: partitions - 1,
        actual: partition,
      });
    }
    if (from.kind === "offset" && partition === null && partitions > 1) return fail("partition_required");
    if (key !== null && this.#topic.index !== "key")
      return fail("index_required", "Reading one key needs a topic made with index key.");
    return null;
  }

  /** A round asks every unfinished partition for its share, so that none starves; what is left goes round again. */
  async readRounds(): Promise<Result<EventsPage>> {
    const { partition } = this.#query;
    let unfinished = partition === null ? Array.from({ length: this.#topic.partitions }, (_, at) => at) : [partition];
    const started = new Set<number>();
    while (unfinished.length > 0 && this.#hasRoom()) {
      const share = Math.max(1, Math.floor((this.#query.eventsMax - this.#count) / unfinished.length));
      const asked = unfinished.slice(0, this.#query.eventsMax - this.#count);
      const bytesMax = Math.ceil((LIMITS.PAGE_BYTES_MAX - this.#bytes) / asked.length);
      const pages = await Promise.all(asked.map((at) => this.#readPartition(at, started.has(at), share, bytesMax)));
      const behind: number[] = [];
      for (const [index, page] of pages.entries()) {
        if (!page.ok) return page;
        started.add(asked[index]!);
        if (this.#take(asked[index]!, page.value)) behind.push(asked[index]!);
      }
      unfinished = [...unfinished.slice(asked.length), ...behind];
    }
    return ok({
      events: this.#lines.join(","),
      count: this.#count,
      caughtUp: unfinished.length === 0,
      gap: this.#gap,
      cursor: { epoch: this.#topic.epoch, offsets: this.#offsets },
    });
  }

  #hasRoom(): boolean {
    return (
      this.#count < this.#query.eventsMax &&
      this.#bytes < LIMITS.PAGE_BYTES_MAX &&
      this.#examined < LIMITS.PAGE_EXAMINED_MAX
    );
  }

  #readPartition(partition: number, started: boolean, eventsMax: number, bytesMax: number): Promise<Result<ReadPage>> {
    const { filter, key } = this.#query;
    return topicLog(this.#env, this.#topic.app, this.#topic.name, partition).read({
      life: lifeOf(this.#topic),
      start: started
        ? { kind: "after", epoch: this.#topic.epoch, offset: this.#offsets.get(partition)! }
        : this.#startOf(partition),
      until: null,
      eventsMax,
      bytesMax,
      types: filter.types,
      keys: filter.keys,
      keyStream: key,
    });
  }

  #startOf(partition: number): ReadStart {
    const { from } = this.#query;
    switch (from.kind) {
      case "earliest":
      case "latest":
        return { kind: from.kind };
      case "time":
        return from;
      case "offset":
        return { kind: "after", epoch: null, offset: from.offset - 1 };
      case "cursor": {
        const offset = from.cursor.offsets.get(partition);
        // A partition that the cursor has not read has no gap; one of another life does.
        if (offset === undefined && from.cursor.epoch === this.#topic.epoch) return { kind: "earliest" };
        return { kind: "after", epoch: from.cursor.epoch, offset: offset ?? 0 };
      }
    }
  }

  /** Answers whether the partition has more. */
  #take(partition: number, page: ReadPage): boolean {
    const before = this.#offsets.get(partition) ?? page.through - page.offsets.length;
    this.#offsets.set(partition, page.through);
    this.#gap ??= page.gap;
    this.#bytes += page.body.length;
    this.#examined += page.through - before;
    if (page.offsets.length > 0) this.#takeLines(page);
    return page.through < page.head;
  }

  #takeLines(page: ReadPage): void {
    if (!this.#query.filter.readsContent) {
      this.#lines.push(page.body);
      this.#count += page.offsets.length;
      return;
    }
    const wanted = splitLines(page.body).filter((line) => this.#query.filter.matches(JSON.parse(line)));
    this.#lines.push(...wanted);
    this.#count += wanted.length;
  }
}
