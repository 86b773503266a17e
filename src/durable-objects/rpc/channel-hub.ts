/** What is said to a hub by the Worker and by the logs that it listens to. */
import type { Failure } from "../../core/errors.ts";
import type { Revocation } from "../../core/revocation.ts";
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
  /**
   * Sends an event that is kept nowhere to the user's connections here; answers to how many. `line`: an object with
   * `type`, `data` and `datacontenttype` (the last two may be absent) as JSON text on one line.
   */
  sendToUser(user: string, line: string): Promise<number>;
  /** Ends the user's connections here; answers how many. */
  endUser(user: string, failure: Failure): Promise<number>;
  countUser(user: string): Promise<number>;
  overview(): Promise<HubOverview>;
  /** How many connections here follow each channel whose name begins so. */
  channels(prefix: string): Promise<Map<string, number>>;
}
