/**
 * Tells hubs what became of the members, and knows when each was heard of last. At most one push a hub is under way,
 * and the next carries all that has come since; one that fails is told again by the alarm.
 */
import type { SilencePlan } from "../../core/silence.ts";
import { channelHubNamed } from "../../stubs.ts";
import type { Env } from "../../env.ts";
import type { SeatReport } from "../rpc/presence-room.ts";
import type { RoomState } from "./room-state.ts";
import type { WatcherRow } from "./watcher-store.ts";

/**
 * So long a hub that is asked is waited for. After that who asked is answered without it, and one whose lease has run
 * out has lost its members.
 */
export const ANSWER_MS_MAX = 5_000;

interface Watcher {
  seq: number;
  heardAt: number;
  told: number;
  /** What the last answer to a report of its carried: it has that, unless the answer was lost. */
  answered: number;
  /** Since the object woke. A "gone" that was said before its latest report does not count. */
  reports: number;
  wasHeard: boolean;
  pushing: Promise<void> | null;
}

export class Watchers {
  readonly #room: RoomState;
  readonly #env: Env;
  /** By the hub's name. */
  readonly #watchers = new Map<string, Watcher>();

  constructor(room: RoomState, env: Env) {
    this.#room = room;
    this.#env = env;
    for (const { hub, ...row } of room.watchers.all()) {
      this.#watchers.set(hub, { ...row, answered: -1, reports: 0, wasHeard: false, pushing: null });
    }
  }

  /** The seq of its last report; -1: it is not known. */
  seqOf(hub: string): number {
    return this.#watchers.get(hub)?.seq ?? -1;
  }

  /** It has reported, and the answer will tell it all up to the room's version. */
  heard({ hub, seq, known }: SeatReport, now: number): void {
    const before = this.#watchers.get(hub);
    const told = Math.max(known ?? -1, before === undefined || known === null ? -1 : before.told);
    const answered = this.#room.roster.version;
    const rest = { reports: (before?.reports ?? 0) + 1, wasHeard: true, pushing: before?.pushing ?? null };
    const watcher = { seq, heardAt: now, told, answered, ...rest };
    if (before === undefined) this.#watchers.set(hub, watcher);
    else Object.assign(before, watcher);
    this.#record(hub, watcher);
  }

  /** Some hub does not have everything for sure. */
  get isBehind(): boolean {
    return [...this.#watchers.values()].some(({ told }) => told < this.#room.roster.version);
  }

  /** Tells those who were not told by an answer; resolves when those pushes have ended, well or badly. */
  async tellOthers(): Promise<void> {
    const { version } = this.#room.roster;
    const others = [...this.#watchers].filter(([, { told, answered }]) => Math.max(told, answered) < version);
    await Promise.all(others.map(([hub]) => this.#tell(hub)));
  }

  /** Tells everyone of whom it is not known that they have everything, and keeps what became of it. */
  async tellAgain(): Promise<void> {
    const behind = [...this.#watchers].filter(([, { told }]) => told < this.#room.roster.version);
    await Promise.all(behind.map(([hub]) => this.#tell(hub)));
    for (const [hub, watcher] of this.#watchers) this.#record(hub, watcher);
  }

  /**
   * Wakes hubs with members that were not heard of since the room woke: they find out who is gone, and say so. Who does
   * not answer in time is not waited for.
   */
  async askUnheard(): Promise<void> {
    const unheard = [...this.#watchers].filter(
      ([hub, { wasHeard }]) => !wasHeard && this.#room.roster.hasConnections(hub),
    );
    await this.#ask(unheard.map(([hub]) => hub));
  }

  /** Asks hubs whose lease has run out; answers those that do not answer in time. */
  async askLapsed(now: number, { leaseMs }: SilencePlan): Promise<string[]> {
    const lapsed = this.#holders().filter(([, { heardAt }]) => heardAt + leaseMs <= now);
    await this.#ask(lapsed.map(([hub]) => hub));
    return lapsed.filter(([, { heardAt }]) => heardAt + leaseMs <= now).map(([hub]) => hub);
  }

  /** When the first lease runs out of a hub that has members; null: none has, or leases have no end. */
  nextLapse({ leaseMs }: SilencePlan): number | null {
    const ends = this.#holders().map(([, { heardAt }]) => heardAt + leaseMs);
    return ends.length === 0 || leaseMs === Infinity ? null : Math.min(...ends);
  }

  /** The life that they watched is over. */
  clear(): void {
    for (const hub of this.#watchers.keys()) this.#room.watchers.remove(hub);
    this.#watchers.clear();
  }

  #holders(): [string, Watcher][] {
    return [...this.#watchers].filter(([hub]) => this.#room.roster.hasConnections(hub));
  }

  /** Resolves when all have answered or could not be reached, and not later than the time they have for it. */
  async #ask(hubs: readonly string[]): Promise<void> {
    if (hubs.length === 0) return;
    const { promise: deadline, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ANSWER_MS_MAX);
    await Promise.race([Promise.all(hubs.map((hub) => this.#tell(hub, true))), deadline]);
    clearTimeout(timer);
  }

  /** `anyway`: also when there is nothing to tell, so that the hub is heard of. */
  #tell(hub: string, anyway = false): Promise<void> {
    const watcher = this.#watchers.get(hub)!;
    watcher.pushing ??= this.#pushUntilTold(hub, watcher, anyway)
      .catch((error: unknown) => {
        // Not reachable just now. It is still owed, and the alarm tells it again.
        console.warn(JSON.stringify({ stage: "room.push_failed", channel: this.#room.channel, error: String(error) }));
      })
      .finally(() => {
        watcher.pushing = null;
      });
    return watcher.pushing;
  }

  async #pushUntilTold(hub: string, watcher: Watcher, anyway: boolean): Promise<void> {
    for (let asks = anyway; asks || watcher.told < this.#room.roster.version; asks = false) {
      const { reports } = watcher;
      const { channel: topic, epoch } = this.#room;
      const before = watcher.told;
      const known = before < 0 ? null : Math.min(before, this.#room.roster.version);
      const news = this.#room.newsAfter(known);
      const answer = await channelHubNamed(this.#env, hub).acceptMembers({ topic, epoch, news });
      if (this.#watchers.get(hub) !== watcher) return; // The life was over meanwhile.
      if (answer.kind === "gone") {
        if (reports !== watcher.reports) continue; // It has begun to look on again meanwhile.
        this.#forget(hub);
        return;
      }
      watcher.heardAt = Date.now();
      watcher.wasHeard = true;
      watcher.told = answer.version;
      if (answer.version < news.version && news.kind === "snapshot") return; // It cannot take it now.
    }
  }

  #forget(hub: string): void {
    if (this.#room.roster.hasConnections(hub)) return; // What it has to say of them is on its way.
    this.#watchers.delete(hub);
    this.#room.watchers.remove(hub);
  }

  #record(hub: string, { seq, heardAt, told }: Watcher): void {
    const row: WatcherRow = { hub, seq, heardAt, told };
    this.#room.watchers.put(row);
  }
}
