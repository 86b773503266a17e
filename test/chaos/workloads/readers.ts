/** W2: browsers that follow a topic from its beginning, and resume with their cursor whenever they come back. */
import { ROOT_KEY } from "../../harness/hub.ts";
import type { Gap } from "../../harness/hub.ts";
import type { HubMessage } from "../../harness/socket.ts";
import { seen } from "../history.ts";
import { partitionsOf } from "../topic-ends.ts";
import type { Workload, World } from "../world.ts";
import { ReturningSocket } from "./returning-socket.ts";

const ACK_EVERY = 50;

export class Readers implements Workload {
  readonly #world: World;
  readonly #topic: string;
  readonly #count: number;
  #readers: Reader[] = [];

  constructor(world: World, topic: string, count: number) {
    this.#world = world;
    this.#topic = topic;
    this.#count = count;
  }

  async prepare(): Promise<void> {}

  begin(): void {
    this.#readers = Array.from(
      { length: this.#count },
      (_, index) => new Reader(this.#world, this.#topic, `reader-${index}`),
    );
  }

  async end(): Promise<void> {}

  async missing(): Promise<readonly string[]> {
    const ends = await partitionsOf(this.#world.access, this.#topic);
    return this.#readers.flatMap((reader) =>
      ends
        .filter(({ partition, lastOffset }) => reader.lastOf(partition) < lastOffset)
        .map(
          ({ partition, lastOffset }) =>
            `${reader.name} is at ${partition}/${reader.lastOf(partition)} of ${lastOffset}`,
        ),
    );
  }

  async tell(): Promise<void> {
    for (const reader of this.#readers) reader.close();
  }
}

export class Reader {
  readonly name: string;
  readonly #world: World;
  readonly #topic: string;
  readonly #socket: ReturningSocket;
  readonly #last = new Map<number, number>();
  #cursor: string | null = null;
  #sinceAck = 0;

  constructor(world: World, topic: string, name: string) {
    this.name = name;
    this.#world = world;
    this.#topic = topic;
    this.#note([], true);
    this.#socket = new ReturningSocket({
      url: async () => `${world.socketUrl}/v1/connect?token=${ROOT_KEY}`,
      greeting: () => ({ op: "subscribe", topic, from: this.#cursor === null ? "earliest" : `cursor:${this.#cursor}` }),
      hear: (message) => this.#hear(message),
      lost: () => undefined,
    });
  }

  lastOf(partition: number): number {
    return this.#last.get(partition) ?? 0;
  }

  reconnect(): void {
    this.#socket.reconnect();
  }

  close(): void {
    this.#socket.close();
  }

  #hear(message: HubMessage): void {
    if (message.topic !== this.#topic) return;
    if (message.op === "subscribed") this.#note([], false);
    if (message.op === "gap") {
      const { partition, firstHeld } = message as unknown as Gap;
      this.#last.set(partition, firstHeld - 1);
      this.#note([{ partition, firstHeld }], false);
    }
    if (message.op === "event") {
      const event = seen(message.event!);
      this.#last.set(event.partition, Math.max(this.lastOf(event.partition), event.offset));
      this.#world.history.add({ op: "frame", reader: this.name, at: Date.now(), event });
    }
    if (message.cursor === undefined) return;
    this.#cursor = message.cursor;
    this.#sinceAck += 1;
    if (this.#sinceAck < ACK_EVERY) return;
    this.#sinceAck = 0;
    this.#socket.send({ op: "ack", topic: this.#topic, cursor: this.#cursor });
  }

  #note(gaps: readonly { readonly partition: number; readonly firstHeld: number }[], isFirst: boolean): void {
    this.#world.history.add({ op: "session", reader: this.name, topic: this.#topic, at: Date.now(), gaps, isFirst });
  }
}
