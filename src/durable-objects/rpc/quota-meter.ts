/** What isolates and hubs ask of an app's meter. Types only, as in rpc.ts. */
import type { LeaseAnswer, LeaseAsk, LeaseReturn } from "../../core/quota-lease.ts";
import type { Result } from "../../core/result.ts";
import type { PlaceAsk } from "../../core/socket-places.ts";

export interface QuotaMeterRpc extends Rpc.DurableObjectBranded {
  /** Takes back what was not needed, then lends; the answers stand in the order of the asks. */
  lease(asks: readonly LeaseAsk[], returns: readonly LeaseReturn[]): Promise<readonly LeaseAnswer[]>;
  /** Places for sockets of one hub, by its name: all or none. Fails with `quota_exceeded`. */
  holdPlaces(hub: string, asks: readonly PlaceAsk[]): Promise<Result<null>>;
}
