/**
 * The client of one hub. Publishing and reading pages go over HTTP, everything live over one WebSocket; a second one is
 * opened only for a reader that cannot share a topic with one that stands elsewhere in it.
 */
import { Channel, type ConnectionState, type Line, type Reader } from "./channel.ts";
import { TidingsError } from "./client-error.ts";
import { Credentials, type GetToken } from "./credentials.ts";
import { checkDraft, judgeEvent, type AnyDefinition, type DraftOf, type EventOf } from "./event-definition.ts";
import type { Draft, HubEvent, Unfit } from "./event-definition.ts";
import { listen, type OnOptions } from "./listen.ts";
import { Link, type LinkPorts } from "./link.ts";
import type { Gap } from "./messages.ts";
import { Outbox, type Receipt, type ScheduledReceipt } from "./outbox.ts";
import { systemClock, watchPage, type Clock, type Fetch, type SocketClass } from "./platform.ts";
import { Presence } from "./presence.ts";
import { eventsPath, Requests } from "./requests.ts";
import { Subscription, type SubscribeOptions } from "./subscription.ts";
import type { Topic } from "./topic-definition.ts";

export interface HubOptions {
  /** Where the hub answers: `https://hub.example.com`. */
  readonly url: string;
  /** A token or, in a backend, a key. Who gives neither this nor `getToken` shows nothing, and is refused. */
  readonly token?: string;
  /** Asked for a token at the beginning and whenever the last one is about to end. */
  readonly getToken?: GetToken;
  /** The runtime's own unless given; likewise the next two. */
  readonly fetch?: Fetch;
  readonly WebSocket?: SocketClass;
  readonly clock?: Clock;
  /** How many events may wait while the hub is away (1,000). Above it `publish` rejects with `outbox_full`. */
  readonly outboxMax?: number;
}

export interface PublishOptions {
  /** Chosen by the client; an event that comes again under its id is appended once. */
  readonly id?: string;
  /** Events of one key keep their order on a topic of several partitions. */
  readonly key?: string;
  readonly subject?: string;
  readonly source?: string;
  /** Nobody is sent it on the connection of that id. */
  readonly exclude?: string;
  /** Everybody is sent it but this client, on the connection on which it follows the topic now. */
  readonly toOthers?: boolean;
  /** So long after it was appended it may still reach somebody: "30s", "5m", "2h", "7d". */
  readonly ttl?: string;
}

export interface LaterOptions extends PublishOptions {
  /** Not to be appended before, RFC 3339, at most a year ahead. */
  readonly deliverAt: string;
}

export interface HistoryOptions extends SubscribeOptions {
  /** At most 1,000; 100 when it is left out. */
  readonly limit?: number;
  readonly key?: string;
}

export interface HistoryPage<Definition extends AnyDefinition> {
  readonly events: readonly EventOf<Definition>[];
  /** Those that fit no definition of the topic. */
  readonly unfit: readonly Unfit[];
  /** `from: "cursor:…"` goes on behind the page, here or live. */
  readonly cursor: string;
  /** The page reaches the present. */
  readonly caughtUp: boolean;
  readonly gap?: Gap;
}

type TopicOf<Definition extends AnyDefinition> = string | Topic<Definition>;
type ErrorListener = (error: TidingsError) => void;

/** A socket follows at most 100 topics. */
const LINK_CHANNELS_MAX = 100;
const OUTBOX_MAX = 1_000;
/** Shorter than any request may take. */
const SETTLED_POLL_MS = 20_000;
/** Where more wait than may, the hub answers at once. */
const SETTLED_PAUSE_MS = 250;

export class Hub {
  readonly presence: Presence;
  readonly #options: LinkPorts;
  readonly #outbox: Outbox;
  readonly #links: Link[] = [];
  readonly #stateListeners = new Set<(state: ConnectionState | "idle") => void>();
  readonly #errorListeners = new Set<ErrorListener>();
  readonly #unwatchPage: () => void;
  #state: ConnectionState | "idle" = "idle";
  #isClosed = false;

  constructor({ url, token, getToken, outboxMax = OUTBOX_MAX, clock = systemClock, ...given }: HubOptions) {
    const base = url.replace(/\/+$/, "");
    const credentials = new Credentials(token, getToken);
    const fetch = given.fetch ?? ((address, init) => globalThis.fetch(address, init));
    const requests = new Requests(base, fetch, credentials);
    this.#outbox = new Outbox(requests, clock, outboxMax);
    this.#options = {
      address: `${base.replace(/^http/, "ws")}/v1/connect`,
      WebSocket: given.WebSocket ?? (globalThis.WebSocket as unknown as SocketClass),
      clock,
      credentials,
      requests,
      turned: (link, error) => this.#turned(link, error),
      failed: (error) => this.#report(error),
    };
    this.presence = new Presence({
      open: (topic) => this.#open(topic),
      find: (topic) => this.#links.map(({ channels }) => channels.get(topic)).find((channel) => channel?.isPresent),
      release: (channel) => this.#release(channel),
    });
    this.#unwatchPage = watchPage(() => this.wake());
  }

  /** Of the WebSocket; `idle` until something is followed. */
  get state(): ConnectionState | "idle" {
    return this.#state;
  }

  /** Events that were published and are not acknowledged. */
  get pending(): number {
    return this.#outbox.size;
  }

  /**
   * Resolves when the event stands in the log. While the hub is away it waits in the outbox, behind those of its topic.
   * Rejects when the event will not be sent (again): `data_invalid`, `outbox_full`, `hub_closed`, `topic_name_invalid`,
   * or another refusal of the hub's.
   */
  publish<Definition extends AnyDefinition = AnyDefinition>(
    topic: TopicOf<Definition>,
    draft: DraftOf<Definition>,
    options?: PublishOptions & { readonly deliverAt?: undefined },
  ): Promise<Receipt>;
  /** An event for later: resolves when the hub holds it. One whose time has come stands in the log. */
  publish<Definition extends AnyDefinition = AnyDefinition>(
    topic: TopicOf<Definition>,
    draft: DraftOf<Definition>,
    options: LaterOptions,
  ): Promise<Receipt | ScheduledReceipt>;
  publish<Definition extends AnyDefinition = AnyDefinition>(
    topic: TopicOf<Definition>,
    draft: DraftOf<Definition>,
    { toOthers = false, ...options }: PublishOptions = {},
  ): Promise<Receipt> {
    const { name, events } = topicOf(topic);
    const { type, data, schema } = draft as Draft;
    const judge = events?.find((definition) => definition.type === type)?.schema ?? schema;
    const own = toOthers ? this.#linkOf(name)?.connection : "";
    const text = JSON.stringify({ id: newId(), ...options, ...(own && { exclude: own }), type, data });
    return this.#outbox.add(name, text, checkDraft(judge, data));
  }

  /**
   * Tells those who follow the private or presence channel now, as this client does, and keeps nothing: typing,
   * pointers, signals. Rejects where that fails; nothing is sent again.
   */
  signal<Definition extends AnyDefinition = AnyDefinition>(
    topic: TopicOf<Definition>,
    draft: DraftOf<Definition> & { readonly type: `client-${string}` },
  ): Promise<void> {
    const { name } = topicOf(topic);
    const { type, data } = draft;
    const link = this.#linkOf(name);
    if (link === undefined) return Promise.reject(new TidingsError("connection_lost"));
    return new Promise((resolve, reject) => {
      link.ask({ op: "publish", topic: name, event: { type, data } }, { answered: () => resolve(), failed: reject });
    });
  }

  /** Resolves when nothing waits in the outbox. */
  flush(): Promise<void> {
    return this.#outbox.flush();
  }

  /** From now on, unless `from` says otherwise; ends when the loop is left. */
  subscribe<Definition extends AnyDefinition = AnyDefinition>(
    topic: TopicOf<Definition>,
    options: SubscribeOptions = {},
  ): Subscription<Definition> {
    return new Subscription(this.#desk, topicOf(topic), options);
  }

  /**
   * Calls back with each event of one definition, or of one type: one after the other, and a listener that answers a
   * promise is waited for. Answers how to stop.
   */
  on<Definition extends AnyDefinition, Wanted extends Definition>(
    topic: TopicOf<Definition>,
    wanted: Wanted | string,
    listener: (event: EventOf<Wanted>) => unknown,
    options: OnOptions = {},
  ): () => void {
    const { name, events } = topicOf(topic);
    const definitions = typeof wanted === "string" ? events : [wanted];
    const subscription = new Subscription<AnyDefinition>(this.#desk, { name, events: definitions }, options);
    const type = typeof wanted === "string" ? wanted : wanted.type;
    const failed = options.error ?? ((error: TidingsError) => this.#report(error));
    void listen(subscription, type, listener as (event: HubEvent) => unknown, { gap: options.gap, error: failed });
    return () => void subscription.return();
  }

  /** One page of what is held, from the beginning unless `from` says otherwise. */
  async history<Definition extends AnyDefinition = AnyDefinition>(
    topic: TopicOf<Definition>,
    { from = "earliest", limit, key, filter }: HistoryOptions = {},
  ): Promise<HistoryPage<Definition>> {
    const { name, events } = topicOf(topic);
    const query = new URLSearchParams({ from });
    if (limit !== undefined) query.set("limit", String(limit));
    if (key !== undefined) query.set("key", key);
    if (filter !== undefined) query.set("filter", JSON.stringify(filter));
    const path = `${eventsPath(name)}?${query}`;
    const page = await this.#options.requests.ask<HistoryPage<AnyDefinition>>("GET", path);
    const judged = await Promise.all(page.events.map((event) => judgeEvent(events, event)));
    return {
      ...page,
      events: judged.flatMap((item) => (item.kind === "event" ? [item.event] : [])),
      unfit: judged.flatMap((item) => (item.kind === "unfit" ? [item] : [])),
    };
  }

  /**
   * Whether that subscription has settled everything up to a receipt's event, so that what it feeds shows the write.
   * False when it has not within `waitMs` (10,000); to ask again goes on waiting.
   */
  async settled(
    subscription: string,
    { topic, cursor }: Pick<Receipt, "topic" | "cursor">,
    { waitMs = 10_000 }: { readonly waitMs?: number } = {},
  ): Promise<boolean> {
    const { clock, requests } = this.#options;
    const deadline = clock.now() + waitMs;
    for (;;) {
      const left = Math.max(0, deadline - clock.now());
      const query = new URLSearchParams({ topic, minCursor: cursor, wait: `${Math.min(left, SETTLED_POLL_MS)}ms` });
      const path = `/v1/subscriptions/${encodeURIComponent(subscription)}/settled?${query}`;
      const { reached } = await requests.ask<{ readonly reached: boolean }>("GET", path);
      if (reached || clock.now() >= deadline) return reached;
      await new Promise<void>((resolve) => clock.after(SETTLED_PAUSE_MS, resolve));
    }
  }

  /** Answers how to stop. */
  onState(listener: (state: ConnectionState | "idle") => void): () => void {
    this.#stateListeners.add(listener);
    return () => void this.#stateListeners.delete(listener);
  }

  /** What nobody waits for, such as a token that could not be had. Answers how to stop. */
  onError(listener: ErrorListener): () => void {
    this.#errorListeners.add(listener);
    return () => void this.#errorListeners.delete(listener);
  }

  /** Looks whether the connection is there, and tries again at once what waits. A page that wakes does so by itself. */
  wake(): void {
    for (const link of this.#links) link.wake();
    this.#outbox.hurry();
  }

  /** Ends everything: subscriptions and what waits in the outbox are told `hub_closed`. */
  close(): void {
    this.#isClosed = true;
    this.#unwatchPage();
    this.#outbox.close();
    for (const link of this.#links.splice(0)) link.close();
  }

  readonly #desk = {
    attach: (reader: Reader): void => {
      try {
        this.#open(reader.topic, (channel) => channel.suits(reader)).add(reader);
      } catch (error) {
        reader.fail(error as TidingsError);
      }
    },
    detach: (reader: Reader): void => {
      for (const link of this.#links) {
        const channel = link.channels.get(reader.topic);
        if (channel?.delete(reader) === true) this.#release(channel);
      }
    },
  };

  /**
   * The channel of a topic on the first link where it suits or can be made; on a new link where there is none. Throws
   * `hub_closed` or `topic_name_invalid`.
   */
  #open(topic: string, suits: (channel: Channel) => boolean = () => true): Channel {
    if (this.#isClosed) throw new TidingsError("hub_closed");
    eventsPath(topic);
    for (const link of this.#links) {
      const channel = link.channels.get(topic);
      if (channel !== undefined && suits(channel)) return channel;
      if (channel === undefined && link.channels.size < LINK_CHANNELS_MAX) return this.#follow(link, topic);
    }
    const link = new Link(this.#options);
    this.#links.push(link);
    return this.#follow(link, topic);
  }

  #linkOf(topic: string): Link | undefined {
    return this.#links.find(({ channels }) => channels.has(topic));
  }

  #follow(link: Link, topic: string): Channel {
    const channel = new Channel(link, this.#options.clock, topic, () => this.#closeUnused(link));
    link.channels.set(topic, channel);
    return channel;
  }

  /** Leaves what nobody needs any more. */
  #release(channel: Channel): void {
    const { link, topic } = channel;
    if (!channel.isIdle || link.channels.get(topic) !== channel) return;
    channel.leave();
    link.channels.delete(topic);
    this.#closeUnused(link);
  }

  /** The first link stays for what comes next. */
  #closeUnused(link: Line): void {
    if (link !== this.#links[0] && link.channels.size === 0) link.close();
  }

  #turned(link: Link, error: TidingsError | null): void {
    const isFirst = this.#links.length === 0 || this.#links[0] === link;
    const at = this.#links.indexOf(link);
    if (link.state === "closed" && at >= 0) this.#links.splice(at, 1);
    if (error !== null) this.#report(error);
    if (!isFirst) return;
    this.#state = link.state;
    for (const listener of this.#stateListeners) listener(link.state);
  }

  #report(error: TidingsError): void {
    if (this.#errorListeners.size === 0) console.error(error);
    for (const listener of this.#errorListeners) listener(error);
  }
}

export const createHub = (options: HubOptions): Hub => new Hub(options);

const topicOf = <Definition extends AnyDefinition>(topic: TopicOf<Definition>): Topic<Definition> =>
  typeof topic === "string" ? { name: topic, events: undefined } : topic;

/** Pages without https have no `randomUUID`. */
const newId = (): string =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
