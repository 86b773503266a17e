/** Event frames of one push or page: made once for each filter, shared by every follower that has it. */
import { splitLines } from "../../core/event.ts";
import { exclusionIn } from "../../core/exclusion.ts";
import type { EventBatch } from "../rpc.ts";
import type { EventFrame } from "./connection.ts";
import type { Dialect } from "./dialect.ts";
import { totalOf, type Follower, type TopicChannel } from "./topic-channel.ts";

/** Frames as large as this hold several events; a single event may be larger. */
const FRAME_BYTES = 64 * 1_024;

export class BatchFrames {
  readonly #dialect: Dialect;
  readonly #channel: TopicChannel;
  readonly #partition: number;
  readonly #start: readonly number[];
  readonly #batch: EventBatch;
  readonly #lines: readonly string[];
  readonly #framesByFilter = new Map<string, readonly EventFrame[]>();
  /** By index: marks of connections that are not sent that event. */
  readonly #exclusions: ReadonlyMap<number, ReadonlySet<string>>;
  #parsed: readonly unknown[] | null = null;

  /** `start`: the offsets from which the batch's partition moves on; the others stand still in it. */
  constructor(dialect: Dialect, channel: TopicChannel, partition: number, start: readonly number[], batch: EventBatch) {
    this.#dialect = dialect;
    this.#channel = channel;
    this.#partition = partition;
    this.#start = start;
    this.#batch = batch;
    this.#lines = splitLines(batch.body);
    this.#exclusions = exclusionsOf(this.#lines);
  }

  for(follower: Follower): readonly EventFrame[] {
    const { pattern, connection } = follower;
    if ([...this.#exclusions.values()].some((marks) => marks.has(connection.mark))) {
      return this.#make((index) => !this.#excludes(index, connection.mark) && this.#wants(index, follower));
    }
    const key = pattern === null ? "" : JSON.stringify(pattern);
    const known = this.#framesByFilter.get(key);
    if (known !== undefined) return known;
    const frames = this.#make((index) => this.#wants(index, follower));
    this.#framesByFilter.set(key, frames);
    return frames;
  }

  #wants(index: number, { pattern, filter }: Follower): boolean {
    return pattern === null || filter.matches(this.#event(index));
  }

  #excludes(index: number, mark: string): boolean {
    return this.#exclusions.get(index)?.has(mark) ?? false;
  }

  #event(index: number): unknown {
    this.#parsed ??= this.#lines.map((line) => JSON.parse(line) as unknown);
    return this.#parsed[index];
  }

  #make(wants: (index: number) => boolean): EventFrame[] {
    const frames: EventFrame[] = [];
    const offsets = [...this.#start];
    let messages: string[] = [];
    let bytes = 0;
    for (const [index, line] of this.#lines.entries()) {
      if (!wants(index)) continue;
      const isFull = bytes + line.length > FRAME_BYTES || messages.length >= this.#dialect.frameMessagesMax;
      if (messages.length > 0 && isFull) {
        frames.push(this.#frame(messages, offsets));
        messages = [];
        bytes = 0;
      }
      offsets[this.#partition] = this.#batch.offsets[index]!;
      messages.push(this.#dialect.event(this.#channel.name, this.#channel.cursorAt(offsets), line));
      bytes += line.length;
    }
    if (messages.length > 0) frames.push(this.#frame(messages, offsets));
    return frames;
  }

  #frame(messages: readonly string[], offsets: readonly number[]): EventFrame {
    return { text: this.#dialect.join(messages), offset: offsets[this.#partition]!, total: totalOf(offsets) };
  }
}

function exclusionsOf(lines: readonly string[]): ReadonlyMap<number, ReadonlySet<string>> {
  const found = new Map<number, ReadonlySet<string>>();
  for (const [index, line] of lines.entries()) {
    const marks = exclusionIn(line);
    if (marks !== null) found.set(index, marks);
  }
  return found;
}
