/**
 * Whether anybody follows this channel, over all hubs: each tells of its own followers, and what changes by that is
 * noted in one transaction with it, told in order from the outbox, and told again until `$system.channels` has it.
 */
import { announceChannel, COUNT_TOLD_EVERY_MS, occupancyChange, type ChannelNews } from "../../core/occupancy.ts";
import type { CountAnswer, FollowerCount } from "../../core/occupancy.ts";
import { LIMITS } from "../../core/limits.ts";
import { CHANNELS_TOPIC } from "../../core/system-event.ts";
import { AnnouncementStore } from "../announcement-store.ts";
import { Announcer } from "../announcer.ts";
import type { WorkerGateRpc } from "../rpc.ts";
import type { LogState } from "./log-state.ts";
import type { OccupancyTold } from "./log-facts.ts";
import { OccupancyStore } from "./occupancy-store.ts";

const NOTHING_TOLD: OccupancyTold = { subscriptions: 0, at: 0, missedAt: null };

export class ChannelOccupancy {
  readonly #log: LogState;
  readonly #occupants: OccupancyStore;
  readonly #announcements: AnnouncementStore;
  readonly #announcer: Announcer;

  constructor(log: LogState, gate: () => WorkerGateRpc) {
    this.#log = log;
    this.#occupants = new OccupancyStore(log.sql);
    this.#announcements = new AnnouncementStore(log.sql);
    const { app, topic: teller } = log;
    this.#announcer = new Announcer({ app, topic: CHANNELS_TOPIC, announcements: this.#announcements, teller }, gate);
  }

  /** A word that comes late changes no count. */
  hear(count: FollowerCount, now: number): CountAnswer {
    return this.#log.storage.transactionSync(() => {
      const version = this.#occupants.versionOf(count.hub);
      const isLate = count.version <= version;
      if (!isLate) this.#take(count, now);
      if (count.missed) this.#noteMiss();
      return isLate ? { kind: "late", version } : { kind: "accepted" };
    });
  }

  /** The life is over, and with it everybody's following. In the transaction that ends it. */
  endLife(now: number): void {
    const before = this.#occupants.total();
    this.#occupants.clear();
    this.#noteChange(before, 0, now);
  }

  /** Tells what is due; never rejects. */
  async run(now: number): Promise<void> {
    this.#log.storage.transactionSync(() => this.#noteCount(this.#occupants.total(), now));
    await this.#announcer.run();
  }

  /** When somebody has to come back; null: there is nothing to tell. */
  dueAt(now: number): number | null {
    if (!this.#announcements.isEmpty()) return now + LIMITS.TELL_AGAIN_MS;
    const total = this.#occupants.total();
    return total > 0 && total !== this.#told.subscriptions ? this.#told.at + COUNT_TOLD_EVERY_MS : null;
  }

  get #told(): OccupancyTold {
    return this.#log.meta.read("occupancy") ?? NOTHING_TOLD;
  }

  #take(count: FollowerCount, now: number): void {
    const before = this.#occupants.total();
    this.#occupants.put(count);
    this.#noteChange(before, this.#occupants.total(), now);
  }

  #noteChange(before: number, after: number, now: number): void {
    const change = occupancyChange(before, after);
    if (change !== null) this.#note(change);
    if (change === "channel.vacated")
      this.#log.meta.write("occupancy", { ...this.#told, subscriptions: 0, missedAt: null });
    this.#noteCount(after, now);
  }

  /** A count that changes often is told now and then, and the last one always. */
  #noteCount(subscriptions: number, now: number): void {
    const told = this.#told;
    if (subscriptions === 0 || subscriptions === told.subscriptions || now < told.at + COUNT_TOLD_EVERY_MS) return;
    this.#note("channel.subscription_count", { subscriptions });
    this.#log.meta.write("occupancy", { ...told, subscriptions, at: now });
  }

  /** Once until something is published or nobody follows any more: a thousand who come at once miss one thing. */
  #noteMiss(): void {
    const { head, firstHeld } = this.#log.ends;
    if (head >= firstHeld || this.#told.missedAt === head) return;
    this.#note("channel.cache_miss");
    this.#log.meta.write("occupancy", { ...this.#told, missedAt: head });
  }

  #note(news: ChannelNews, more: object = {}): void {
    this.#announcements.insert(announceChannel(news, this.#log.topic, crypto.randomUUID(), more));
  }
}
