/** What a client asks of a hub over its socket, whatever protocol it speaks. */
import type { Cursor } from "./cursor.ts";
import type { Failure } from "./errors.ts";
import type { FilterPattern } from "./filter-pattern.ts";
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
  | { readonly op: "refused"; readonly ref: Ref; readonly failure: Failure };
