/** Code in this repository that consumes events: a file in src/listeners whose default export is made here. */
import type { ConsumedEvent } from "../core/event.ts";

export type ListenerEvent = ConsumedEvent;

export interface ListenerContext {
  readonly app: string;
  /** The subscription's name. */
  readonly subscription: string;
  /** Stable over attempts and redrives: the idempotency key for effects outside D1. */
  readonly deliveryId: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly redrive: boolean;
  readonly db: D1Database;
  /** Aborts when the subscription's timeout has passed. */
  readonly signal: AbortSignal;
}

export interface Listener {
  readonly name: string;
  /**
   * What it throws is a failed attempt. Statements that it returns are committed in one batch with the delivery's
   * idempotency key, so their effects happen exactly once; what it does by other means happens at least once.
   */
  handle(event: ListenerEvent, context: ListenerContext): ListenerEffects | Promise<ListenerEffects>;
}

export type ListenerEffects = readonly D1PreparedStatement[] | void;

export const defineListener = (listener: Listener): Listener => listener;
