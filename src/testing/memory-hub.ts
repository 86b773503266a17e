/** The hub's side of the wire in memory: its topics and members, requests over `fetch`, and the connections on it. */
import { ERRORS, type Failure } from "../core/errors.ts";
import type { EventDraft } from "../core/event.ts";
import { parseFilter } from "../core/filter-pattern.ts";
import { isTopicName } from "../core/names.ts";
import { parsePosition } from "../core/position.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { Fetch } from "../client/platform.ts";
import type { Receipt } from "../client/outbox.ts";
import { parseDrafts } from "../wire/native/draft.ts";
import { problemOf } from "../wire/native/problem.ts";
import { MemoryMembers } from "./memory-members.ts";
import { MemoryTopic } from "./memory-topic.ts";

/** Whose client it is. */
export interface TestUser {
  readonly id: string;
  /** What its token vouches for, shown to other members. */
  readonly data?: Readonly<Record<string, unknown>>;
}

export type Allows = (action: "publish" | "subscribe" | "presence", topic: string, user: TestUser | null) => boolean;

/** A connection as the hub and other connections see it. */
export interface Peer {
  end(code: number): void;
  bringLevel(topic: string): void;
  endTopic(topic: string): void;
  /** Says it where the topic is followed; `ofMembers`: where its members are seen. */
  tell(topic: string, message: object, ofMembers: boolean): void;
}

const DEFAULTS = { source: "/apps/test", traceparent: null };
const PAGE_EVENTS_DEFAULT = 100;

type Answer = Awaited<ReturnType<Fetch>>;

export class MemoryHub {
  /** False: nothing comes through. */
  isReachable = true;
  readonly connections = new Set<Peer>();
  readonly #allows: Allows;
  readonly #now: () => number;
  readonly #topics = new Map<string, MemoryTopic>();
  readonly #members = new Map<string, MemoryMembers>();
  #ids = 0;
  #epochs = 0;

  constructor(allows: Allows, now: () => number) {
    this.#allows = allows;
    this.#now = now;
  }

  /** Fails with `scope_missing`. */
  judge(action: Parameters<Allows>[0], topic: string, user: TestUser | null): Result<null> {
    if (!isTopicName(topic)) return fail("topic_name_invalid");
    return this.#allows(action, topic, user) ? ok(null) : fail("scope_missing");
  }

  /** As with a hub, the first use makes it. */
  topic(name: string): MemoryTopic {
    const topic = this.#topics.get(name) ?? new MemoryTopic(name, (this.#epochs += 1));
    this.#topics.set(name, topic);
    return topic;
  }

  members(channel: string): MemoryMembers {
    const members = this.#members.get(channel) ?? new MemoryMembers();
    this.#members.set(channel, members);
    return members;
  }

  delete(name: string): void {
    this.#topics.delete(name);
    for (const connection of this.connections) connection.endTopic(name);
  }

  /** Tells all others. */
  broadcast(sender: Peer, topic: string, message: object, ofMembers = false): void {
    for (const peer of this.connections) if (peer !== sender) peer.tell(topic, message, ofMembers);
  }

  newId(): string {
    this.#ids += 1;
    return `test-${this.#ids}`;
  }

  get now(): number {
    return this.#now();
  }

  get time(): string {
    return new Date(this.now).toISOString();
  }

  /** All or none, then everybody is told. */
  publish(name: string, drafts: readonly EventDraft[]): Result<Receipt[]> {
    const topic = this.topic(name);
    const receipts: Receipt[] = [];
    for (const draft of drafts) {
      const receipt = topic.append(draft, draft.id ?? this.newId(), this.time);
      if (!receipt.ok) return receipt;
      receipts.push(receipt.value);
    }
    for (const connection of this.connections) connection.bringLevel(name);
    return ok(receipts);
  }

  readonly fetch: Fetch = async (url, { method, headers, body = "" }) => {
    await Promise.resolve(); // As over a network, nothing is answered in the turn in which it is asked.
    if (!this.isReachable) throw new TypeError("the hub is not reachable");
    const { pathname, searchParams } = new URL(url);
    const user = userOf(headers["authorization"]!.slice("Bearer ".length));
    const name = decodeURIComponent(/^\/v1\/topics\/([^/]+)\/events$/.exec(pathname)?.[1] ?? "");
    if (name === "") return answerOf(fail(pathname === "/v1/connect" ? "upgrade_required" : "route_not_found"));
    return answerOf(method === "POST" ? this.#post(name, body, user) : this.#page(name, searchParams, user));
  };

  #post(name: string, body: string, user: TestUser | null): Result<object> {
    const judged = this.judge("publish", name, user);
    if (!judged.ok) return judged;
    const drafts = parseDrafts(body, DEFAULTS);
    if (!drafts.ok) return drafts;
    const events = this.publish(name, drafts.value);
    return events.ok ? ok({ events: events.value }) : events;
  }

  #page(name: string, query: URLSearchParams, user: TestUser | null): Result<object> {
    const judged = this.judge("subscribe", name, user);
    if (!judged.ok) return judged;
    const topic = this.#topics.get(name);
    if (topic === undefined) return fail("topic_not_found");
    const from = parsePosition(query.get("from") ?? "earliest");
    if (!from.ok) return from;
    const pattern = query.has("filter") ? parseFilter(JSON.parse(query.get("filter")!)) : ok(null);
    if (!pattern.ok) return pattern;
    const { after, gap } = topic.start(from.value);
    const all = topic.after(after, pattern.value, this.now);
    const events = all.slice(0, Number(query.get("limit") ?? PAGE_EVENTS_DEFAULT));
    const caughtUp = events.length === all.length;
    const cursor = topic.cursorAt(caughtUp ? topic.head : events.at(-1)!.offset);
    return ok({ events, cursor, caughtUp, ...(gap !== null && { gap }) });
  }
}

/** A test's token is its user. */
export const tokenOf = (user: TestUser | null): string => JSON.stringify(user);

export const userOf = (token: string): TestUser | null => JSON.parse(token) as TestUser | null;

function answerOf(result: Result<object>): Answer {
  const status = result.ok ? 200 : ERRORS[result.failure.code].status;
  const body = result.ok ? result.value : problemOf(result.failure as Failure);
  return { ok: result.ok, status, headers: new Headers(), text: async () => JSON.stringify(body) };
}
