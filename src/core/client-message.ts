/** What a client asks of a hub over its socket, whatever protocol it speaks. */
import type { Cursor } from "./cursor.ts";
import type { Failure } from "./errors.ts";
import type { FilterPattern } from "./filter-pattern.ts";
import type { Member } from "./member.ts";
import type { Position } from "./position.ts";

/** The client's own mark on a message, repeated in its answer; null when it gave none. */
export type Ref = string | number | null;

export type ClientMessage =
  | {
      readonly op: "subscribe";
      readonly ref: Ref;
      readonly topic: string;
      readonly from: Position;
      readonly filter: FilterPattern | null;
      /** What the member shows of itself, as JSON text; null: it does not take part in presence. */
      readonly presence: string | null;
      /** Present: the channel is opened by a signature and not by a scope. */
      readonly proof?: SignedProof;
      /** Present: as whom it enters, as the app has signed. */
      readonly member?: Member;
      /** False: it wants to see no members either. */
      readonly sees?: boolean;
    }
  | { readonly op: "unsubscribe"; readonly ref: Ref; readonly topic: string }
  | {
      readonly op: "publish";
      readonly ref: Ref;
      readonly topic: string;
      /** A draft as JSON text. */
      readonly event: string;
      /** False: the connection itself is not sent it. */
      readonly echo: boolean;
    }
  | { readonly op: "presence"; readonly ref: Ref; readonly topic: string; readonly data: string }
  | { readonly op: "ack"; readonly topic: string; readonly cursor: Cursor }
  /** A fresh credential for the socket that is open. */
  | { readonly op: "refresh"; readonly ref: Ref; readonly token: string }
  | { readonly op: "ping" }
  /** The answer to a ping of the hub's own: all that was sent before it has arrived. */
  | { readonly op: "pong" }
  /** Says which user the connection is; `data` is what was signed. */
  | { readonly op: "sign_in"; readonly ref: Ref; readonly auth: string; readonly data: string }
  | { readonly op: "refused"; readonly ref: Ref; readonly failure: Failure };

/** What whoever runs the app has signed for one connection. */
export interface SignedProof {
  /** Empty: nothing is signed. */
  readonly auth: string;
  /** What was signed beside the names; null: nothing. */
  readonly data: string | null;
}
