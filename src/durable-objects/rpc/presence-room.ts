/** What hubs and presence rooms say to each other, and what the Worker asks of a room. Types only, as in rpc.ts. */
import type { Failure } from "../../core/errors.ts";
import type { Member } from "../../core/member.ts";
import type { PresenceNews } from "../../core/member-view.ts";
import type { Result } from "../../core/result.ts";
import type { MemberReport } from "../../core/roster.ts";

/** One connection of a hub that is a member's. */
export interface Seat {
  readonly connection: string;
  readonly member: Member;
}

/** What a hub tells a room: one call at a time, and again until it is answered. */
export interface SeatReport {
  /** The hub's own name. */
  readonly hub: string;
  /** The topic's life: a greater one begins a room anew, a smaller one is over. */
  readonly epoch: number;
  /** Grows with each call of the hub; a call that comes late changes nothing. */
  readonly seq: number;
  /** The hub's copy of the members is of this version; null: it has none. */
  readonly known: number | null;
  /** Came, or show something else now. */
  readonly entered: readonly Seat[];
  /** `graceMs`: so long the member may return, if this was its last connection. */
  readonly left: readonly { readonly connection: string; readonly graceMs: number }[];
  /** Every seat that the hub has; null: it tells only what changed. */
  readonly all: readonly Seat[] | null;
}

export type SeatAnswer =
  | {
      readonly kind: "accepted";
      readonly news: PresenceNews;
      /** Those who may not enter. */
      readonly refused: readonly { readonly connection: string; readonly failure: Failure }[];
    }
  /** A later call came before; `seq` is the last. */
  | { readonly kind: "late"; readonly seq: number }
  /** That life of the channel has ended. */
  | { readonly kind: "over" };

/** A room tells each hub in whose sockets somebody looks on. */
export interface MembersPush {
  readonly topic: string;
  readonly epoch: number;
  readonly news: PresenceNews;
}

/** `version`: of the hub's copy; smaller than what was pushed when it has a hole. `gone`: nobody there looks on. */
export type MembersAnswer = { readonly kind: "accepted"; readonly version: number } | { readonly kind: "gone" };

export interface MembersPage {
  readonly items: readonly MemberReport[];
  /** Of all members, on this page or not. */
  readonly count: number;
  readonly version: number;
}

export interface PresenceRoomRpc extends Rpc.DurableObjectBranded {
  report(report: SeatReport): Promise<SeatAnswer>;
  /**
   * By id, after `after`. Hubs that the room has not heard of since it woke are asked first, for 5 s at most. Fails
   * with `topic_not_found` when that life of the channel is over.
   */
  members(epoch: number, after: string, limit: number): Promise<Result<MembersPage>>;
  /** Null: that user is not here. Fails likewise. */
  member(epoch: number, user: string): Promise<Result<MemberReport | null>>;
  /** That life of the channel has ended, and everybody leaves. Idempotent. */
  end(epoch: number): Promise<void>;
}
