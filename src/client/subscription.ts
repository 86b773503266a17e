/**
 * What one reader of a topic gets: an async iterator over events, gaps and changes of state, in order. A reader that
 * falls behind does not fill the memory: it leaves the topic, and comes back behind what it has taken, because the log
 * keeps the rest.
 */
import type { ChannelState, From, Reader } from "./channel.ts";
import type { TidingsError } from "./client-error.ts";
import { judgeEvent, type AnyDefinition, type EventOf, type Unfit } from "./event-definition.ts";
import type { Gap, TopicMessage } from "./messages.ts";
import type { Topic } from "./topic-definition.ts";

export type Item<Definition extends AnyDefinition> =
  /** `cursor` resumes behind it, here or on any other surface of the hub; client events have none. */
  | { readonly kind: "event"; readonly event: EventOf<Definition>; readonly cursor: string | undefined }
  | (Unfit & { readonly cursor: string | undefined })
  /** Something is gone for good, and this is what. */
  | { readonly kind: "gap"; readonly gap: Gap }
  /** `cursor`: resumes behind all that came before; undefined until the hub has told one. */
  | { readonly kind: "state"; readonly state: ChannelState; readonly cursor: string | undefined };

export interface SubscribeOptions {
  /** `latest` when it is left out. */
  readonly from?: From;
  /** A content filter, judged by the hub. */
  readonly filter?: object;
}

type Turn = { readonly op: "state"; readonly state: ChannelState; readonly from: From };
type Raw = Extract<TopicMessage, { op: "event" | "client_event" | "gap" }> | Turn;

interface Desk {
  attach(reader: Reader): void;
  detach(reader: Reader): void;
}

const WAITING_MAX = 1_000;

export class Subscription<Definition extends AnyDefinition> implements AsyncIterableIterator<Item<Definition>>, Reader {
  readonly topic: string;
  readonly filter: string;
  from: From;
  readonly #events: readonly Definition[] | undefined;
  readonly #desk: Desk;
  #waiting: Raw[] = [];
  #wakes: (() => void)[] = [];
  #state: ChannelState | null = null;
  #isAttached = false;
  /** Undefined while it goes on; null when it ended well. */
  #end: TidingsError | null | undefined = undefined;

  constructor(desk: Desk, { name, events }: Topic<Definition>, { from = "latest", filter }: SubscribeOptions) {
    this.topic = name;
    this.filter = filter === undefined ? "" : JSON.stringify(filter);
    this.from = from;
    this.#events = events;
    this.#desk = desk;
    this.#attach();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Rejects once, with what ended the subscription: `scope_missing`, `topic_not_found`, `hub_closed` and the like. */
  async next(): Promise<IteratorResult<Item<Definition>, undefined>> {
    for (;;) {
      const raw = this.#waiting.shift();
      if (raw !== undefined) return { done: false, value: await this.#itemOf(raw) };
      if (this.#end !== undefined) return this.#over();
      if (!this.#isAttached) this.#attach();
      else await new Promise<void>((resolve) => this.#wakes.push(resolve));
    }
  }

  /** Ends it; what waits unread is dropped. */
  async return(): Promise<IteratorResult<Item<Definition>, undefined>> {
    this.#detach();
    this.#waiting = [];
    this.#end ??= null;
    this.#wake();
    return { done: true, value: undefined };
  }

  receive(message: TopicMessage): void {
    if ("cursor" in message) this.from = `cursor:${message.cursor}`;
    if (message.op !== "event" && message.op !== "client_event" && message.op !== "gap") return;
    this.#waiting.push(message);
    if (this.#waiting.length >= WAITING_MAX) this.#detach();
    this.#wake();
  }

  turn(state: ChannelState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#waiting.push({ op: "state", state, from: this.from });
    this.#wake();
  }

  fail(error: TidingsError): void {
    this.#isAttached = false;
    this.#end ??= error;
    this.#wake();
  }

  #attach(): void {
    this.#isAttached = true;
    this.#desk.attach(this);
  }

  #detach(): void {
    if (this.#isAttached) this.#desk.detach(this);
    this.#isAttached = false;
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }

  #over(): IteratorResult<Item<Definition>, undefined> {
    const error = this.#end;
    this.#end = null;
    if (error) throw error;
    return { done: true, value: undefined };
  }

  async #itemOf(raw: Raw): Promise<Item<Definition>> {
    if (raw.op === "state") return { kind: "state", state: raw.state, cursor: cursorIn(raw.from) };
    if (raw.op === "event") return { ...(await judgeEvent(this.#events, raw.event)), cursor: raw.cursor };
    if (raw.op === "client_event") {
      const event = { ...raw.event, partition: 0, offset: 0, ...(raw.user !== undefined && { user: raw.user }) };
      return { ...(await judgeEvent(this.#events, event)), cursor: undefined };
    }
    const { partition, requested, firstHeld, reason } = raw;
    return { kind: "gap", gap: { partition, requested, firstHeld, reason } };
  }
}

const CURSOR = "cursor:";
const cursorIn = (from: From): string | undefined => (from.startsWith(CURSOR) ? from.slice(CURSOR.length) : undefined);
