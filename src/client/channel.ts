/**
 * One topic followed on one link: where it stands, so that it can join again there, and the readers that share it. What
 * comes between a join and its answer belongs to the follow before, and will come again.
 */
import { TidingsError } from "./client-error.ts";
import { Members, type MemberWatcher } from "./members.ts";
import type { ClientMessage, HubMessage, TopicMessage } from "./messages.ts";
import type { Clock } from "./platform.ts";

/** Where a reader begins: `latest` is now, `cursor:…` behind what a cursor names. */
export type From = "earliest" | "latest" | `offset:${number}` | `time:${string}` | `cursor:${string}`;

/** `catching_up`: what was missed comes. `lost`: there is no connection. */
export type ChannelState = "connecting" | "catching_up" | "live" | "lost";

/** `lost`: it waits for its next try. `closed`: there is none. */
export type ConnectionState = "connecting" | "open" | "lost" | "closed";

/** What becomes of a message with a `ref`. */
export interface Asked {
  answered(message: HubMessage): void;
  failed(error: TidingsError): void;
}

/** The connection that a channel is on. */
export interface Line {
  readonly state: ConnectionState;
  /** By topic. */
  readonly channels: Map<string, Channel>;
  ask(message: ClientMessage, asked: Asked): void;
  close(): void;
}

export interface Reader {
  readonly topic: string;
  /** Moves on with every message that has a cursor. */
  readonly from: From;
  /** A content filter of the hub as JSON text; empty: everything. */
  readonly filter: string;
  receive(message: TopicMessage): void;
  turn(state: ChannelState): void;
  fail(error: TidingsError): void;
}

/** What the own member shows. */
interface Presence {
  readonly data: unknown;
}

interface Entering {
  resolve(): void;
  reject(error: TidingsError): void;
}

const JOIN_AGAIN_MS = 1_000;

export class Channel {
  readonly link: Line;
  readonly topic: string;
  readonly members = new Members();
  readonly #clock: Clock;
  readonly #ended: () => void;
  readonly #readers = new Set<Reader>();
  #from: From = "latest";
  #filter = "";
  #state: ChannelState = "connecting";
  /** It began in the past and has not come to the present. */
  #isBehind = false;
  /** Null: this connection is no member. */
  #presence: Presence | null = null;
  #entering: Entering[] = [];
  #joins = 0;
  #isJoining = true;
  #cancelJoin = (): void => {};

  /** `ended`: the hub has ended it for good, and it is on its link no more. */
  constructor(link: Line, clock: Clock, topic: string, ended: () => void) {
    this.link = link;
    this.#clock = clock;
    this.#ended = ended;
    this.topic = topic;
  }

  /** One follow has one place: a reader that begins elsewhere, or sees through another filter, needs another link. */
  suits(reader: Reader): boolean {
    return this.#readers.size === 0 || this.#standsFor(reader);
  }

  #standsFor({ filter, from }: Reader): boolean {
    return filter === this.#filter && (from === this.#from || (from === "latest" && !this.#isBehind));
  }

  add(reader: Reader): void {
    const isFirst = this.#readers.size === 0;
    this.#readers.add(reader);
    if (isFirst && !this.#standsFor(reader)) {
      this.#filter = reader.filter;
      this.#from = reader.from;
      this.#isBehind = reader.from !== "latest";
      this.join();
    } else if (this.#joins === 0) this.join();
    reader.turn(this.#state);
  }

  /** Whether it read here. */
  delete(reader: Reader): boolean {
    return this.#readers.delete(reader);
  }

  get isPresent(): boolean {
    return this.#presence !== null;
  }

  /** Nobody reads, nobody watches the members, and the own one is not here. */
  get isIdle(): boolean {
    return this.#readers.size === 0 && !this.isPresent && !this.members.isWatched;
  }

  watch(watcher: MemberWatcher): void {
    this.members.watch(watcher);
    if (this.#joins === 0) this.join();
  }

  /** Resolves when the hub counts this connection among the member's, now or after the loss that is being mended. */
  enter(presence: Presence): Promise<void> {
    this.#presence = presence;
    return new Promise((resolve, reject) => {
      this.#entering.push({ resolve, reject });
      this.join();
    });
  }

  /** Of a connection that is present: what is said while it is lost stands when it enters again. */
  update(presence: Presence): Promise<void> {
    this.#presence = presence;
    if (this.#isJoining) return this.enter(presence);
    const { topic } = this;
    return new Promise((resolve, reject) => {
      this.link.ask({ op: "presence", topic, ...presence }, { answered: () => resolve(), failed: reject });
    });
  }

  exit(): void {
    this.#presence = null;
    for (const { reject } of this.#entering.splice(0)) reject(new TidingsError("not_present"));
    if (!this.isIdle) this.join();
  }

  /** Follows the topic, or begins anew where this stands. A link that is not open joins its channels when it is. */
  join(): void {
    this.#cancelJoin();
    this.#joins += 1;
    this.#isJoining = true;
    if (this.link.state !== "open") return;
    const join = this.#joins;
    const presence = this.#presence !== null && { presence: this.#presence };
    const filter = this.#filter !== "" && { filter: JSON.parse(this.#filter) };
    this.link.ask(
      { op: "subscribe", topic: this.topic, from: this.#from, ...filter, ...presence },
      {
        answered: (message) => this.#joins === join && this.#begin(message as TopicMessage),
        failed: (error) => this.#joins === join && this.#refused(error),
      },
    );
  }

  leave(): void {
    this.#cancelJoin();
    this.#joins += 1;
    this.link.ask({ op: "unsubscribe", topic: this.topic }, { answered: () => {}, failed: () => {} });
  }

  receive(message: TopicMessage): void {
    if (this.#isJoining) return;
    if ("cursor" in message) this.#from = `cursor:${message.cursor}`;
    if (message.op === "caught_up") this.#isBehind = false;
    this.members.receive(message);
    for (const reader of this.#readers) reader.receive(message);
    if (message.op === "caught_up") this.#turn("live");
  }

  lose(): void {
    this.#cancelJoin();
    this.#isJoining = true;
    this.#turn("lost");
  }

  /** For good. */
  fail(error: TidingsError): void {
    this.#cancelJoin();
    this.link.channels.delete(this.topic);
    for (const { reject } of this.#entering.splice(0)) reject(error);
    this.members.fail(error);
    for (const reader of this.#readers) reader.fail(error);
    this.#readers.clear();
    this.#ended();
  }

  #begin(message: TopicMessage): void {
    this.#isJoining = false;
    for (const { resolve } of this.#entering.splice(0)) resolve();
    this.#turn("catching_up");
    this.receive(message);
  }

  #refused(error: TidingsError): void {
    // A lost link joins again by itself.
    if (error.code === "connection_lost") return;
    if (this.#entering.length > 0) return this.#stayOut(error);
    if (!error.retryable) return this.fail(error);
    this.#cancelJoin = this.#clock.after(Math.max(JOIN_AGAIN_MS, error.retryAfterMs), () => this.join());
  }

  /** Who may not enter may still follow. */
  #stayOut(error: TidingsError): void {
    this.#presence = null;
    for (const { reject } of this.#entering.splice(0)) reject(error);
    if (this.isIdle) this.fail(error);
    else this.join();
  }

  #turn(state: ChannelState): void {
    this.#state = state;
    for (const reader of this.#readers) reader.turn(state);
  }
}
