/**
 * Tells the log of each channel how many follow it in this hub: of the first at once, of who comes and goes a little
 * later. What was told is a row, and who follows are rows and sockets, so after an eviction or a crash the difference
 * is what is still to be told.
 */
import type { ChannelCount } from "../../core/occupancy.ts";
import { isSystemTopicName } from "../../core/names.ts";
import { parseObjectName } from "../../core/keys.ts";
import { logStage } from "../../observability/log.ts";
import { topicLog } from "../../stubs.ts";
import type { Env } from "../../env.ts";
import type { LogLife } from "../rpc.ts";
import { ToldStore, type ToldRow } from "./told-store.ts";
import type { TopicChannel } from "./topic-channel.ts";

/**
 * Counts that change within this time are told together, and who leaves may come back: a page that is loaded again, or
 * thousands whose network has blinked, cost nothing. What could not be told is tried again as often.
 */
const TELL_LATER_MS = 2_000;
/** A hub whose sockets are gone after a crash, and which nobody comes back to, finds that out after so long. */
export const LOOK_MS = 300_000;
const TOLD_AT_ONCE = 20;

/** What it must see of the hub. */
interface Hub {
  readonly ctx: DurableObjectState;
  readonly env: Env;
  readonly channels: ReadonlyMap<string, TopicChannel>;
}

export class HubOccupancy {
  readonly #hub: Hub;
  readonly #app: string;
  readonly #store: ToldStore;
  /** By topic; nothing was told where there is none. */
  readonly #told: Map<string, ToldRow>;
  /** To be told as soon as fewer are under way. */
  readonly #waiting = new Set<string>();
  readonly #underWay = new Set<string>();
  /** By topic, the life whose log may know another count than we think: no answer yet, none at all, or "late". */
  readonly #inDoubt = new Map<string, LogLife>();
  /** Cache channels that had nothing to send; heap only, a crash forgets the miss with who missed it. */
  readonly #missed = new Set<string>();
  #lanes = 0;
  #laterAt: number | null = null;
  #lookedAt = Date.now();
  #version = 0;
  #arrange: () => void = () => undefined;

  constructor(hub: Hub) {
    this.#hub = hub;
    this.#app = parseObjectName(hub.ctx.id.name).app;
    this.#store = new ToldStore(hub.ctx.storage.sql);
    this.#told = new Map(this.#store.all().map((row) => [row.topic, row]));
  }

  /** `arrange` is called when `dueAt` has changed. */
  begin(arrange: () => void): void {
    this.#arrange = arrange;
    this.look(Date.now());
  }

  /** Compares all that was told with what is: when the hub wakes, and now and then. */
  look(now: number): void {
    this.#lookedAt = now;
    this.#laterAt = null;
    for (const topic of new Set([...this.#told.keys(), ...this.#inDoubt.keys(), ...this.#hub.channels.keys()])) {
      if (this.#differs(topic)) this.#tellNow(topic);
    }
  }

  /** Somebody came or went. */
  changed(topic: string): void {
    if (!this.#differs(topic)) return;
    if (this.#toldIn(topic) === 0) this.#tellNow(topic);
    else this.#later();
  }

  /** Somebody began to follow a cache channel that has nothing to send. */
  missed(topic: string): void {
    this.#missed.add(topic);
    this.#tellNow(topic);
  }

  /** Milliseconds; null: nobody follows anything here, and everybody knows. */
  get dueAt(): number | null {
    return this.#laterAt ?? (this.#told.size === 0 ? null : this.#lookedAt + LOOK_MS);
  }

  /** In the order of their names, from behind `after`; the hub's own topics are no channels. */
  list(prefix: string, after: string, limit: number): ChannelCount[] {
    return [...this.#hub.channels.values()]
      .filter(({ name, followers }) => followers.size > 0 && name > after && name.startsWith(prefix))
      .filter(({ name }) => !isSystemTopicName(name))
      .map(({ name, followers }) => ({ channel: name, subscriptions: followers.size }))
      .toSorted((left, right) => (left.channel < right.channel ? -1 : 1))
      .slice(0, limit);
  }

  #followers(topic: string): number {
    return this.#hub.channels.get(topic)?.followers.size ?? 0;
  }

  /** In the channel's present life; an earlier one's followers have ended with it. */
  #toldIn(topic: string): number {
    const told = this.#told.get(topic);
    const epoch = this.#hub.channels.get(topic)?.epoch;
    return told === undefined || (epoch !== undefined && epoch !== told.life.epoch) ? 0 : told.followers;
  }

  /** The hub's own topics are no channels: what is told of them would be told on them. */
  #differs(topic: string): boolean {
    if (isSystemTopicName(topic)) return false;
    if (this.#missed.has(topic) || this.#inDoubt.has(topic)) return true;
    return this.#toldIn(topic) !== this.#followers(topic);
  }

  #lifeOf(topic: string): LogLife | undefined {
    return (this.#hub.channels.get(topic)?.followed ?? this.#told.get(topic))?.life ?? this.#inDoubt.get(topic);
  }

  #later(): void {
    if (this.#laterAt !== null) return;
    this.#laterAt = Date.now() + TELL_LATER_MS;
    this.#arrange();
  }

  #tellNow(topic: string): void {
    if (this.#underWay.has(topic)) return; // It sees the change when its last word is answered.
    this.#waiting.add(topic);
    if (this.#lanes < TOLD_AT_ONCE) this.#hub.ctx.waitUntil(this.#tellWaiting());
  }

  async #tellWaiting(): Promise<void> {
    this.#lanes += 1;
    for (const topic of this.#waiting) {
      this.#waiting.delete(topic);
      this.#underWay.add(topic);
      await this.#tell(topic);
      this.#underWay.delete(topic);
    }
    this.#lanes -= 1;
  }

  /** One word after the other, until it says what is; never rejects. */
  async #tell(topic: string): Promise<void> {
    try {
      while (this.#differs(topic)) {
        const missed = this.#missed.has(topic);
        const life = this.#lifeOf(topic);
        if (life === undefined) return void this.#missed.delete(topic); // It has ended, and was never told of.
        const followers = this.#followers(topic);
        // Also greater than those of before an eviction, unless the clock is behind: then the log says what it knows.
        this.#version = Math.max(this.#version + 1, Date.now());
        this.#inDoubt.set(topic, life);
        const count = { hub: this.#hub.ctx.id.name!, version: this.#version, followers, missed };
        const heard = await topicLog(this.#hub.env, this.#app, topic, 0).tellFollowers(life, count);
        if (missed) this.#missed.delete(topic);
        if (heard.ok && heard.value.kind === "late") {
          this.#version = Math.max(this.#version, heard.value.version);
          continue;
        }
        this.#inDoubt.delete(topic);
        this.#record({ topic, life, followers: heard.ok ? followers : 0 });
        if (!heard.ok) return; // That life is over, and its log knows it.
      }
    } catch (error) {
      logStage("hub.occupancy_untold", { app: this.#app, topic, error: String(error) });
      this.#later();
    }
  }

  #record(told: ToldRow): void {
    const wasEmpty = this.#told.size === 0;
    if (told.followers > 0) this.#store.put(told);
    else this.#store.remove(told.topic);
    if (told.followers > 0) this.#told.set(told.topic, told);
    else this.#told.delete(told.topic);
    if (wasEmpty === (this.#told.size === 0)) return;
    this.#lookedAt = Date.now();
    this.#arrange();
  }
}
