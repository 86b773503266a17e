/** A room as its parts share it: the life it is in, who is present, and what changed lately. */
import type { MemberChange } from "../../core/member.ts";
import type { PresenceNews } from "../../core/member-view.ts";
import { Roster } from "../../core/roster.ts";
import { announceSystemEvent, type Announcement } from "../../core/system-event.ts";
import { isUserRoom } from "../../core/user-room.ts";
import { AnnouncementStore } from "../announcement-store.ts";
import { countedSql } from "../counted-sql.ts";
import { applyMigrations } from "../object-migrations.ts";
import { ROOM_MIGRATIONS } from "./room-migrations.ts";
import { RosterStore } from "./roster-store.ts";
import { WatcherStore } from "./watcher-store.ts";

/** A hub that missed more than these gets a snapshot. */
const RECENT_CHANGES_MAX = 500;

export class RoomState {
  readonly ctx: DurableObjectState;
  readonly app: string;
  readonly channel: string;
  readonly store: RosterStore;
  readonly watchers: WatcherStore;
  readonly announcements: AnnouncementStore;
  roster: Roster;
  #epoch: number;
  #ended: boolean;
  /** The last changes, without a hole up to the roster's version. */
  #recent: MemberChange[] = [];

  constructor(ctx: DurableObjectState, app: string, channel: string) {
    this.ctx = ctx;
    this.app = app;
    this.channel = channel;
    applyMigrations(ctx.storage, ROOM_MIGRATIONS);
    const sql = countedSql(ctx.storage.sql, app, "room");
    this.store = new RosterStore(sql);
    this.watchers = new WatcherStore(sql);
    this.announcements = new AnnouncementStore(sql);
    this.roster = new Roster(this.store, this.store.roster());
    ({ epoch: this.#epoch, ended: this.#ended } = this.store.life());
  }

  get epoch(): number {
    return this.#epoch;
  }

  /** Whether that life of the topic is the one that the room is in. */
  isIn(epoch: number): boolean {
    return epoch === this.#epoch && !this.#ended;
  }

  /** Who asks for a life that is over knows the topic as it was. */
  isOver(epoch: number): boolean {
    return epoch < this.#epoch || (epoch === this.#epoch && this.#ended);
  }

  /** Begins a greater life; what was left of the one before is over. False for a life that is over itself. */
  begin(epoch: number): boolean {
    if (epoch > this.#epoch) this.#turnTo(epoch, false);
    return this.isIn(epoch);
  }

  /** False when that life was over before. */
  end(epoch: number): boolean {
    const isNews = epoch > this.#epoch || this.isIn(epoch);
    if (isNews) this.#turnTo(epoch, true);
    return isNews;
  }

  #turnTo(epoch: number, ended: boolean): void {
    this.change(() => {
      const left = this.roster.clear();
      this.store.putLife({ epoch, ended });
      return left;
    }, this.#epoch);
    this.#epoch = epoch;
    this.#ended = ended;
  }

  /** Carries changes out as one transaction with the outbox's rows for them. */
  change(work: () => readonly MemberChange[], epoch = this.#epoch): readonly MemberChange[] {
    try {
      const changes = this.ctx.storage.transactionSync(() => {
        const made = work();
        for (const change of made) for (const told of this.#announce(change, epoch)) this.announcements.insert(told);
        return made;
      });
      this.#recent = [...this.#recent, ...changes].slice(-RECENT_CHANGES_MAX);
      return changes;
    } catch (error) {
      this.roster = new Roster(this.store, this.store.roster()); // The rows were rolled back.
      throw error;
    }
  }

  /** Who comes to a channel and who leaves is told; what members show is between them. */
  #announce({ kind, member, version }: MemberChange, epoch: number): Announcement[] {
    const { channel } = this;
    if (kind === "updated" || isUserRoom(channel)) return [];
    const data = { channel, user: member.id, version };
    const id = `member_${epoch}_${version}`;
    return [
      announceSystemEvent({ type: `member.${kind}`, id, source: `/channels/${channel}`, subject: channel, data }),
    ];
  }

  /** All that happened after `known`; null: for one that has nothing. */
  newsAfter(known: number | null): PresenceNews {
    const { version } = this.roster;
    const first = this.#recent[0]?.version ?? version + 1;
    if (known === null || known < first - 1 || known > version)
      return { kind: "snapshot", version, members: this.#all() };
    return { kind: "changes", after: known, version, changes: this.#recent.filter((change) => change.version > known) };
  }

  #all(): { id: string; data: string | null }[] {
    return this.roster.members().map(({ id, data }) => ({ id, data }));
  }
}
