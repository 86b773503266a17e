/** What a client and a hub say to each other on a socket of `tidings.v1` (wire/native is the hub's side of it). */
import type { Problem } from "../wire/native/problem.ts";
import type { HubEvent } from "./event-definition.ts";

export interface Gap {
  readonly partition: number;
  readonly requested: number;
  readonly firstHeld: number;
  readonly reason: "trimmed" | "epoch" | "ahead";
}

export interface Member {
  /** The user's id. */
  readonly id: string;
  /** What it shows of itself; null: nothing. */
  readonly data: unknown;
}

/** Of a followed topic. */
export type TopicMessage =
  | {
      readonly op: "subscribed";
      readonly topic: string;
      readonly cursor: string;
      /** Who is present, where the client may see that. */
      readonly members?: readonly Member[];
      readonly version?: number;
    }
  | { readonly op: "event"; readonly topic: string; readonly cursor: string; readonly event: HubEvent }
  /** No log keeps it. `user`: who sent it, on presence channels. */
  | { readonly op: "client_event"; readonly topic: string; readonly user?: string; readonly event: HubEvent }
  | { readonly op: "caught_up"; readonly topic: string; readonly cursor: string }
  | ({ readonly op: "gap"; readonly topic: string } & Gap)
  | { readonly op: "unsubscribed"; readonly topic: string }
  | {
      readonly op: "member_added" | "member_updated" | "member_removed";
      readonly topic: string;
      readonly member: Member;
      readonly version: number;
    };

export type HubMessage = { readonly ref?: number } & (
  | {
      readonly op: "welcome";
      readonly connection: string;
      /** Of the credential, by the hub's clock. */
      readonly expiresInSeconds?: number;
      readonly ackWindow?: number;
    }
  | TopicMessage
  | { readonly op: "published"; readonly receipt: unknown }
  | { readonly op: "refreshed"; readonly expiresInSeconds?: number }
  | { readonly op: "error"; readonly problem: Problem; readonly retryAfterSeconds?: number }
  | { readonly op: "pong" }
);

export interface ClientMessage {
  readonly op: "subscribe" | "unsubscribe" | "publish" | "presence" | "ack" | "refresh";
  readonly topic?: string;
  readonly [member: string]: unknown;
}

/** Exactly this text: the hub answers it without waking. */
export const PING = '{"op":"ping"}';
