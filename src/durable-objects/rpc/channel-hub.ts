/** What is said to a hub by the Worker and by the logs that it listens to. */
import type { Failure } from "../../core/errors.ts";
import type { ChannelCount } from "../../core/occupancy.ts";
import type { Revocation } from "../../core/revocation.ts";
import type { MembersAnswer, MembersPush } from "./presence-room.ts";
import type { HeldPlaces } from "../../core/socket-places.ts";
import type { LogPush, PushAnswer, TopicLife } from "../rpc.ts";

/** `users`: different ones. */
export interface HubOverview {
  readonly sockets: number;
  readonly users: number;
}

/** As JSON. `full`: it has as many sockets as it should, and another hub may have room. */
export type UpgradeRefusal = { readonly kind: "full" } | { readonly kind: "refused"; readonly failure: Failure };

export interface ChannelHubRpc extends Rpc.DurableObjectBranded {
  /**
   * A WebSocket upgrade that the Worker has authenticated; the principal stands in a header that only it sets. Answers
   * 101, an `UpgradeRefusal` otherwise.
   */
  fetch(request: Request): Promise<Response>;
  accept(push: LogPush): Promise<PushAnswer>;
  forget(life: TopicLife): Promise<void>;
  /** Ends every socket that it covers, and refuses those that come later, until it expires. Idempotent. */
  revoke(revocation: Revocation): Promise<void>;
  /** By the app's meter, in its turn: what the hub holds from now on. */
  holdPlaces(given: readonly HeldPlaces[]): Promise<void>;
  /** By the meter: gives back the places that no socket has or is about to have; answers how many are left. */
  keepPlaces(subject: string): Promise<number>;
  /**
   * Sends an event that is kept nowhere to the user's connections here; answers to how many. `line`: an object with
   * `type`, `data` and `datacontenttype` (the last two may be absent) as JSON text on one line.
   */
  sendToUser(user: string, line: string): Promise<number>;
  /** Ends the user's connections here; answers how many. */
  endUser(user: string, failure: Failure): Promise<number>;
  countUser(user: string): Promise<number>;
  overview(): Promise<HubOverview>;
  /** Channels whose names begin with the prefix and that are followed here, by name, from behind `after`. */
  channels(prefix: string, after: string, limit: number): Promise<readonly ChannelCount[]>;
  countFollowers(channel: string): Promise<number>;
  /** What became of a channel's members. What the hub has to tell the room itself, it has told by its answer. */
  acceptMembers(push: MembersPush): Promise<MembersAnswer>;
}
