/**
 * Tells listeners what was appended. The log is the outbox: a listener is owed everything after `told`. At most one
 * push a listener is under way, and the next carries all that has come since, so a slow one costs nobody else.
 */
import type { RelayedEvent } from "../../core/client-event.ts";
import { joinLines } from "../../core/event.ts";
import { LIMITS } from "../../core/limits.ts";
import { channelHubNamed, subscription } from "../../stubs.ts";
import type { Env } from "../../env.ts";
import type { Attached, AttachRequest, ListenerName, LogPush, PushAnswer, TopicLife } from "../rpc.ts";
import { ListenerStore, listenerKey, type ListenerRow } from "./listener-store.ts";
import type { LogState } from "./log-state.ts";
import { RelayQueue } from "./relay-queue.ts";
import { readPage, resolveStart } from "./read.ts";
import type { Told } from "./stage-lines.ts";
import { Tail, type TailEvent } from "./tail.ts";

interface Listener {
  row: ListenerRow;
  told: number;
  pushing: boolean;
  /** Grows with each attach: a "gone" that was said before the latest attach does not count. */
  attachments: number;
  /** Client events that it has not been sent. Heap only: they may be lost. */
  readonly relays: RelayQueue;
}

export class Listeners {
  readonly #log: LogState;
  readonly #env: Env;
  readonly #store: ListenerStore;
  readonly #tail = new Tail();
  readonly #listeners: Map<string, Listener>;

  constructor(log: LogState, env: Env) {
    this.#log = log;
    this.#env = env;
    this.#store = new ListenerStore(log.sql);
    this.#listeners = new Map(this.#store.all().map((row) => [listenerKey(row.name), newListener(row, 0)]));
  }

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  /** Somebody has not heard everything yet, or has not heard that a life ended. */
  get isBehind(): boolean {
    return [...this.#listeners.values()].some(
      (listener) => listener.told < this.#log.ends.head || this.#isFarewell(listener),
    );
  }

  attach(request: AttachRequest): Attached {
    const key = listenerKey(request.listener);
    const existing = this.#listeners.get(key);
    const { head } = this.#log.ends;
    const epoch = this.#log.epoch;
    const isNew = existing === undefined || existing.row.epoch !== epoch;
    // Whoever asks for the latest has no past here: a hub that follows again has forgotten where it was.
    const begins = isNew || request.start.kind === "latest";
    const told = begins ? resolveStart(this.#log, request.start).after : existing.told;
    const row: ListenerRow = { name: request.listener, epoch, told, types: request.types, keys: request.keys };
    // A hub attaches again whenever it begins to follow; only what changes costs a row.
    if (isNew || JSON.stringify(row) !== JSON.stringify({ ...existing.row, told })) this.#store.put(row);
    if (isNew) this.#listeners.set(key, newListener(row, 1));
    else Object.assign(existing, { row, told, attachments: existing.attachments + 1 });
    return { after: told, head };
  }

  detach(name: ListenerName): void {
    this.#listeners.delete(listenerKey(name));
    this.#store.remove(name);
  }

  get told(): Told {
    const { head } = this.#log.ends;
    const behind = [...this.#listeners.values()].filter(({ told }) => told < head).length;
    return { listeners: this.#listeners.size, behind };
  }

  /** New events are in the log; whoever is not being told already is told now. Resolves as `tellAll` does. */
  appended(events: readonly TailEvent[]): Promise<void> {
    this.#tail.push(events);
    return this.tellAll();
  }

  /** Tells the hubs of a client event, each behind what was appended before it. */
  relay(event: RelayedEvent): void {
    for (const listener of this.#listeners.values()) {
      if (listener.row.name.kind !== "hub") continue;
      listener.relays.add(event, this.#log.ends.head);
      void this.#tell(listener);
    }
  }

  /** Starts a push to everyone who is behind; resolves when those pushes have ended, well or badly. */
  async tellAll(): Promise<void> {
    await Promise.all([...this.#listeners.values()].map((listener) => this.#tell(listener)));
  }

  /** What each was told, written for the next wake. */
  recordTold(): void {
    for (const listener of this.#listeners.values()) {
      if (listener.told === listener.row.told || this.#isFarewell(listener)) continue;
      listener.row = { ...listener.row, told: listener.told };
      this.#store.put(listener.row);
    }
  }

  #isFarewell(listener: Listener): boolean {
    return listener.row.epoch !== this.#log.epoch;
  }

  async #tell(listener: Listener): Promise<void> {
    if (listener.pushing) return;
    listener.pushing = true;
    try {
      if (this.#isFarewell(listener)) await this.#bidFarewell(listener);
      else await this.#pushUntilTold(listener);
    } catch {
      // Not reachable just now. It is still owed, and the standing alarm tells it again; client events are not.
      listener.relays.clear();
    } finally {
      listener.pushing = false;
    }
  }

  async #pushUntilTold(listener: Listener): Promise<void> {
    while (this.#hasNews(listener) && !this.#isFarewell(listener)) {
      const { attachments } = listener;
      const push = this.#pushAfter(listener);
      const answer = await this.#accept(listener.row.name, push);
      if (answer.kind === "gone") {
        if (attachments !== listener.attachments) continue; // It attached again meanwhile, and is told again at once.
        this.detach(listener.row.name);
        return;
      }
      // It cannot take more now: it comes for the rest, or the alarm tells it.
      if (answer.through === listener.told && push.through > push.after) return;
      // Less than before when it found a hole that one page does not fill: on from there.
      listener.told = answer.through;
    }
  }

  #hasNews({ told, relays }: Listener): boolean {
    return told < this.#log.ends.head || !relays.isEmpty;
  }

  async #bidFarewell(listener: Listener): Promise<void> {
    const { name, epoch } = listener.row;
    const life: TopicLife = { topic: this.#log.topic, partition: this.#log.partition, epoch };
    if (name.kind === "hub") await channelHubNamed(this.#env, name.name).forget(life);
    else await subscription(this.#env, this.#log.app, name.id).forget(life);
    if (listener.row.epoch === epoch) this.detach(name);
  }

  #accept(name: ListenerName, push: LogPush): Promise<PushAnswer> {
    return name.kind === "hub"
      ? channelHubNamed(this.#env, name.name).accept(push)
      : subscription(this.#env, this.#log.app, name.id).accept(push);
  }

  /** Up to the first client event that waits, which goes with it; to the head where none does. */
  #pushAfter(listener: Listener): LogPush {
    const { topic, partition, epoch, ends } = this.#log;
    const { told: after, row } = listener;
    const { types, keys } = row;
    const until = Math.min(ends.head, Math.max(after, listener.relays.behind ?? ends.head));
    const now = Date.now();
    const recent = this.#tail.after(after);
    if (recent !== null || until === after) {
      const wanted = (recent ?? []).filter(
        (event) =>
          event.offset <= until &&
          (row.name.kind === "subscription" || !hasExpired(event, now)) &&
          (types === null || types.includes(event.type)) &&
          (keys === null || (event.key !== null && keys.includes(event.key))),
      );
      const body = joinLines(wanted.map((event) => event.line));
      const offsets = wanted.map((event) => event.offset);
      const relayed = listener.relays.take(until);
      const place = { topic, partition, epoch, after, through: until, head: ends.head };
      return { ...place, types, keys, offsets, body, ...(relayed.length > 0 && { relayed }) };
    }
    const page = readPage(this.#log, {
      life: this.#log.life!,
      start: { kind: "after", epoch: null, offset: after },
      until,
      types,
      keys,
      keyStream: null,
      eventsMax: LIMITS.PAGE_EVENTS_MAX,
      bytesMax: LIMITS.PUSH_BYTES_MAX,
      ...(row.name.kind === "subscription" && { keepsExpired: true }), // A ledger accounts for each event.
    });
    if (!page.ok) throw new Error(`a log cannot read itself: ${page.failure.code}`);
    // `after` is where the page begins: past `told` where retention has taken what was owed. It sees the hole.
    const { after: begins, offsets, body, through, head } = page.value;
    const relayed = listener.relays.take(through);
    const place = { topic, partition, epoch, after: begins, through, head };
    return { ...place, types, keys, offsets, body, ...(relayed.length > 0 && { relayed }) };
  }
}

const hasExpired = ({ expiresAt }: TailEvent, now: number): boolean => expiresAt !== null && expiresAt <= now;

const newListener = (row: ListenerRow, attachments: number): Listener => ({
  row,
  told: row.told,
  pushing: false,
  attachments,
  relays: new RelayQueue(),
});
