/** One page over all partitions of a topic: each event once, each partition in order, and one cursor for the rest. */
import type { Cursor } from "../core/cursor.ts";
import { joinBytes, joinLines, splitLines } from "../core/event.ts";
import type { Filter } from "../core/filter.ts";
import { LIMITS } from "../core/limits.ts";
import type { Position } from "../core/position.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { choosePartition } from "../core/routing.ts";
import { liftLine, type Lifts } from "../core/upcast.ts";
import type { BytesPage, Gap, ReadPage, ReadStart } from "../durable-objects/rpc.ts";
import { formatEnvelope } from "../wire/native/envelope.ts";
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
  /** Event lines joined, in UTF-8; with seams between them the parts are the inside of a JSON array. */
  readonly parts: readonly Uint8Array[];
  readonly count: number;
  readonly cursor: Cursor;
  readonly caughtUp: boolean;
  /** The first that was met; a reader of several partitions asks each for its own by `partition`. */
  readonly gap: Gap | null;
  /** Of the key whose stream was read: how many events it has had. Null: none was. */
  readonly keyVersion: number | null;
}

/** Failures: those of `TopicLog.read`, `partition_required`, `parameter_invalid`. */
export async function readEvents(env: Env, topic: TopicRecord, query: EventsQuery): Promise<Result<EventsPage>> {
  const checked = checkEventsQuery(topic, query);
  return checked.ok ? new Reader(env, topic, query).readRounds() : checked;
}

/** What a topic of that shape cannot answer. Failures: `partition_required`, `parameter_invalid`, `index_required`. */
export function checkEventsQuery(
  { partitions, index }: Pick<TopicRecord, "partitions" | "index">,
  { partition, from, key }: EventsQuery,
): Result<null> {
  if (partition !== null && partition >= partitions) {
    return fail("parameter_invalid", "The topic has no such partition.", {
      limit: partitions - 1,
      actual: partition,
    });
  }
  if (from.kind === "offset" && partition === null && partitions > 1) return fail("partition_required");
  if (key !== null && index !== "key")
    return fail("index_required", "Reading one key needs a topic made with index key.");
  return ok(null);
}

/** The page with each event as a portable envelope. */
export const envelopePage = (page: EventsPage): EventsPage => withLines(page, formatEnvelope);

/** The page with its events in the versions asked for. */
export function liftPage(page: EventsPage, lifts: Lifts): EventsPage {
  if (Object.keys(lifts).length === 0) return page;
  return withLines(page, (line) => liftLine(line, lifts));
}

function withLines(page: EventsPage, change: (line: string) => string): EventsPage {
  if (page.count === 0) return page;
  const lines = splitLines(new TextDecoder().decode(joinBytes(page.parts))).map(change);
  return { ...page, parts: [encoder.encode(joinLines(lines))] };
}

class Reader {
  readonly #env: Env;
  readonly #topic: TopicRecord;
  readonly #query: EventsQuery;
  readonly #offsets: Map<number, number>;
  readonly #parts: Uint8Array[] = [];
  #count = 0;
  #bytes = 0;
  #examined = 0;
  #gap: Gap | null = null;
  #keyVersion: number | null = null;

  constructor(env: Env, topic: TopicRecord, query: EventsQuery) {
    this.#env = env;
    this.#topic = topic;
    this.#query = query;
    const resumes = query.from.kind === "cursor" && query.from.cursor.epoch === topic.epoch;
    this.#offsets = new Map(resumes ? (query.from as { cursor: Cursor }).cursor.offsets : []);
  }

  /** A round asks every unfinished partition for its share, so that none starves; what is left goes round again. */
  async readRounds(): Promise<Result<EventsPage>> {
    const { partition } = this.#query;
    let unfinished = partition === null ? Array.from({ length: this.#topic.partitions }, (_, at) => at) : [partition];
    const started = new Set<number>();
    let deferred = 0;
    while (unfinished.length > 0 && this.#hasRoom()) {
      const share = Math.max(1, Math.floor((this.#query.eventsMax - this.#count) / unfinished.length));
      const asked = unfinished.slice(0, this.#query.eventsMax - this.#count);
      const bytesMax = Math.ceil((LIMITS.PAGE_BYTES_MAX - this.#bytes) / asked.length);
      const pages = await Promise.all(asked.map((at) => this.#readPartition(at, started.has(at), share, bytesMax)));
      const behind: number[] = [];
      for (const [index, page] of pages.entries()) {
        if (!page.ok) return page;
        if (page.value.gap !== null && this.#gap !== null) {
          deferred += 1; // A page tells one gap. This partition stays where the reader left it, and is told next time.
          continue;
        }
        started.add(asked[index]!);
        if (this.#take(asked[index]!, page.value)) behind.push(asked[index]!);
      }
      unfinished = [...unfinished.slice(asked.length), ...behind];
    }
    const placed = await this.#placeOthers(unfinished.filter((at) => !started.has(at)));
    if (!placed.ok) return placed;
    return ok({
      parts: this.#parts,
      count: this.#count,
      caughtUp: unfinished.length === 0 && deferred === 0,
      gap: this.#gap,
      keyVersion: this.#keyVersion,
      cursor: { epoch: this.#topic.epoch, offsets: this.#offsets },
    });
  }

  /** A partition that the page had no room for is absent from the cursor, which means "from its beginning". */
  async #placeOthers(partitions: readonly number[]): Promise<Result<null>> {
    const { kind } = this.#query.from;
    if (kind !== "time" && kind !== "latest") return ok(null);
    const pages = await Promise.all(partitions.map((at) => this.#readPartition(at, false, 0, 0)));
    for (const [index, page] of pages.entries()) {
      if (!page.ok) return page;
      this.#offsets.set(partitions[index]!, page.value.after);
    }
    return ok(null);
  }

  /** Where the key's events go; those that were put elsewhere by hand have versions of their own. */
  get #keyPartition(): number | null {
    const { key, partition } = this.#query;
    return key === null ? null : (partition ?? choosePartition({ key, id: null }, 0, null, 0, this.#topic.partitions));
  }

  #hasRoom(): boolean {
    return (
      this.#count < this.#query.eventsMax &&
      this.#bytes < LIMITS.PAGE_BYTES_MAX &&
      this.#examined < LIMITS.PAGE_EXAMINED_MAX
    );
  }

  async #readPartition(
    partition: number,
    started: boolean,
    eventsMax: number,
    bytesMax: number,
  ): Promise<Result<Part>> {
    const { filter, key } = this.#query;
    const start: ReadStart = started
      ? { kind: "after", epoch: this.#topic.epoch, offset: this.#offsets.get(partition)! }
      : this.#startOf(partition);
    const log = topicLog(this.#env, this.#topic.app, this.#topic.name, partition);
    const request = { life: lifeOf(this.#topic), start, eventsMax, bytesMax };
    if (filter.types === null && filter.keys === null && !filter.readsContent && key === null) {
      return log.readBytes(request);
    }
    const { types, keys } = filter;
    const page = await log.read({ ...request, until: null, types, keys, keyStream: key });
    return page.ok ? ok(this.#select(page.value)) : page;
  }

  /** What of a page the filter's content part lets through. */
  #select(page: ReadPage): Part {
    const lines = splitLines(page.body);
    const { filter } = this.#query;
    const wanted = filter.readsContent ? lines.filter((line) => filter.matches(JSON.parse(line))) : lines;
    return { ...page, count: wanted.length, body: encoder.encode(joinLines(wanted)) };
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
  #take(partition: number, part: Part): boolean {
    this.#offsets.set(partition, part.through);
    this.#gap ??= part.gap;
    if (partition === this.#keyPartition) this.#keyVersion = part.keyVersion ?? null;
    this.#bytes += part.body.byteLength;
    this.#examined += part.through - part.after;
    this.#count += part.count;
    if (part.count > 0) this.#parts.push(part.body);
    return part.through < part.head;
  }
}

/** One partition's share of a page. */
type Part = BytesPage & Pick<ReadPage, "keyVersion">;

const encoder = new TextEncoder();
