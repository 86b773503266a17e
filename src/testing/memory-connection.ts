/** One client's socket on a hub in memory, both of its ends. What either says arrives in a later turn, in order. */
import type { ClientMessage, Ref } from "../core/client-message.ts";
import { connectionMark, EXCLUDES } from "../core/exclusion.ts";
import type { Failure } from "../core/errors.ts";
import type { FilterPattern } from "../core/filter-pattern.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { Socket, SocketClass } from "../client/platform.ts";
import { parseClientFrame } from "../wire/native/client-frames.ts";
import { parseDraft } from "../wire/native/draft.ts";
import { problemOf } from "../wire/native/problem.ts";
import { userOf, type MemoryHub, type Peer, type TestUser } from "./memory-hub.ts";

type Listener = (event: { data?: string; code?: number }) => void;

interface Follow {
  after: number;
  readonly filter: FilterPattern | null;
  readonly seesMembers: boolean;
}

const ABNORMAL = 1_006;
const CLIENT_EVENT = '"client-';

class MemoryConnection implements Socket, Peer {
  readonly #hub: MemoryHub;
  readonly #id: string;
  readonly #user: TestUser | null;
  readonly #listeners: Record<"message" | "close", Listener[]> = { message: [], close: [] };
  readonly #follows = new Map<string, Follow>();
  #isOpen = true;

  constructor(hub: MemoryHub, user: TestUser | null) {
    this.#hub = hub;
    this.#id = hub.newId();
    this.#user = user;
    if (hub.isReachable) hub.connections.add(this);
    else this.end(ABNORMAL);
    this.#say({ op: "welcome", connection: this.#id });
  }

  addEventListener(kind: "message" | "close", listener: Listener): void {
    this.#listeners[kind].push(listener);
  }

  send(text: string): void {
    queueMicrotask(() => {
      if (this.#isOpen && this.#hub.isReachable) this.#receive(text);
    });
  }

  close(): void {
    this.end(1_000);
  }

  /** Ends it from either side; the others see its member leave. */
  end(code: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#hub.connections.delete(this);
    for (const topic of this.#follows.keys()) this.#exit(topic);
    queueMicrotask(() => {
      for (const listener of this.#listeners.close) listener({ code });
    });
  }

  /** Sends what the log has beyond what this connection was sent. */
  bringLevel(name: string): void {
    const follow = this.#follows.get(name);
    if (follow === undefined) return;
    const topic = this.#hub.topic(name);
    const fresh = topic.after(follow.after, follow.filter, this.#hub.now);
    const events = fresh.filter((event) => !this.#isExcluded(event));
    follow.after = topic.head;
    this.#say(...events.map((event) => ({ op: "event", topic: name, cursor: topic.cursorAt(event.offset), event })));
  }

  #isExcluded(event: object): boolean {
    const { [EXCLUDES]: excluded } = event as { readonly [EXCLUDES]?: string };
    return excluded?.split(" ").includes(connectionMark(this.#id)) === true;
  }

  endTopic(topic: string): void {
    if (!this.#follows.delete(topic)) return;
    this.#refuse(null, { code: "topic_not_found" });
    this.#say({ op: "unsubscribed", topic });
  }

  tell(topic: string, message: object, ofMembers: boolean): void {
    const follow = this.#follows.get(topic);
    if (follow !== undefined && (follow.seesMembers || !ofMembers)) this.#say(message);
  }

  #say(...messages: object[]): void {
    if (messages.length === 0) return;
    const text = JSON.stringify(messages);
    queueMicrotask(() => {
      if (this.#isOpen && this.#hub.isReachable)
        for (const listener of this.#listeners.message) listener({ data: text });
    });
  }

  #refuse(ref: Ref, failure: Failure): void {
    this.#say({ op: "error", ...(ref !== null && { ref }), problem: problemOf(failure) });
  }

  #receive(text: string): void {
    const messages = parseClientFrame(text);
    if (!messages.ok) return this.#refuse(null, messages.failure);
    for (const message of messages.value) {
      const done = this.#do(message);
      if (!done.ok) this.#refuse("ref" in message ? message.ref : null, done.failure);
    }
  }

  #do(message: ClientMessage): Result<unknown> {
    switch (message.op) {
      case "subscribe":
        return this.#subscribe(message);
      case "unsubscribe":
        this.#exit(message.topic);
        this.#follows.delete(message.topic);
        return ok(this.#say({ op: "unsubscribed", ref: message.ref, topic: message.topic }));
      case "publish":
        return this.#publish(message);
      case "presence":
        return this.#update(message);
      case "refresh":
        return ok(this.#say({ op: "refreshed", ref: message.ref }));
      case "ping":
        return ok(this.#say({ op: "pong" }));
      case "ack":
        return ok(null);
      case "refused":
        return { ok: false, failure: message.failure };
      default: // Of other protocols.
        return fail("frame_invalid");
    }
  }

  #subscribe({
    ref,
    topic: name,
    from,
    filter,
    presence,
  }: Extract<ClientMessage, { op: "subscribe" }>): Result<unknown> {
    const judged = this.#hub.judge("subscribe", name, this.#user);
    if (!judged.ok) return judged;
    const isPresence = name.startsWith("presence-");
    if (presence !== null && !isPresence) return fail("presence_not_offered");
    const seesMembers = isPresence && this.#hub.judge("presence", name, this.#user).ok;
    if (presence !== null && !seesMembers) return fail("scope_missing");
    if (presence !== null && this.#user === null) return fail("presence_user_missing");
    const topic = this.#hub.topic(name);
    const { after, gap } = topic.start(from);
    this.#follows.delete(name); // Nothing of the follow before comes any more.
    if (presence === null) this.#exit(name);
    else this.#enter(name, JSON.parse(presence));
    this.#follows.set(name, { after, filter, seesMembers });
    const members = this.#hub.members(name);
    const shown = seesMembers && { members: members.list, version: members.version };
    this.#say({ op: "subscribed", ref, topic: name, cursor: topic.cursorAt(after), ...shown });
    if (gap !== null) this.#say({ op: "gap", topic: name, ...gap });
    this.bringLevel(name);
    return ok(this.#say({ op: "caught_up", topic: name, cursor: topic.cursorAt(topic.head) }));
  }

  #update({ ref, topic, data }: Extract<ClientMessage, { op: "presence" }>): Result<unknown> {
    const members = this.#hub.members(topic);
    if (!members.has(this)) return fail("presence_not_entered");
    this.#enter(topic, JSON.parse(data));
    return ok(this.#say({ op: "presence", ref, topic, version: members.version }));
  }

  /** What the token vouches for stands. */
  #enter(topic: string, own: unknown): void {
    const vouched = this.#user!.data;
    const isBeside = own !== null && typeof own === "object" && !Array.isArray(own);
    const data = vouched === undefined ? own : isBeside ? { ...own, ...vouched } : vouched;
    this.#tellMembers(topic, this.#hub.members(topic).enter(this.#user!.id, data, this));
  }

  #exit(topic: string): void {
    this.#tellMembers(topic, this.#hub.members(topic).leave(this));
  }

  /** Those who see the members, this one included. */
  #tellMembers(topic: string, step: object | null): void {
    if (step === null) return;
    const message = { topic, ...step };
    this.#hub.broadcast(this, topic, message, true);
    this.tell(topic, message, true);
  }

  #publish({ ref, topic, event: text }: Extract<ClientMessage, { op: "publish" }>): Result<unknown> {
    const judged = this.#hub.judge("publish", topic, this.#user);
    if (!judged.ok) return judged;
    const draft = parseDraft(text, { source: "/apps/test", traceparent: null });
    if (!draft.ok) return draft;
    if (!text.includes(CLIENT_EVENT)) return fail("client_event_refused");
    return this.#signal(ref, topic, JSON.parse(text) as { type: string; data: unknown });
  }

  #signal(ref: Ref, topic: string, { type, data }: { type: string; data: unknown }): Result<unknown> {
    if (!/^(private|presence)-/.test(topic) || !this.#follows.has(topic)) return fail("client_event_refused");
    const id = this.#hub.newId();
    const event = { specversion: "1.0", id, source: "/apps/test", type, time: this.#hub.time, topic, data };
    const user = topic.startsWith("presence-") && this.#user !== null && { user: this.#user.id };
    this.#hub.broadcast(this, topic, { op: "client_event", topic, ...user, event });
    return ok(this.#say({ op: "published", ref, receipt: { id, topic, stored: false } }));
  }
}

/** The WebSocket of clients of one hub. */
export const memorySockets = (hub: MemoryHub): SocketClass =>
  class extends MemoryConnection {
    constructor(url: string) {
      super(hub, userOf(new URL(url).searchParams.get("token")!));
    }
  };
