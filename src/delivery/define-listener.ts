/** Code in this repository that consumes events: a file in src/listeners whose default export is made here. */
import type { ConsumedEvent } from "../core/event.ts";

export type ListenerEvent = ConsumedEvent;

export interface ListenerContext {
  readonly app: string;
  /** The subscription's name. */
  readonly subscription: string;
  /** Its id: one that is made anew under the name has another. */
  readonly subscriptionId: string;
  /** Stable over attempts and redrives; a seek or a replay delivers the event under another. */
  readonly deliveryId: string;
  /** 1 for the first. */
  readonly attempt: number;
  readonly redrive: boolean;
  readonly db: D1Database;
  readonly cache: ListenerCache;
  /** Aborts when the subscription's timeout has passed. */
  readonly signal: AbortSignal;
}

/** Values of the app that live for a while, under keys of which all its listeners know. */
export interface ListenerCache {
  /** What stands; null: nothing, or its time is over. Not what this delivery has put, which does not stand yet. */
  get(key: string): Promise<unknown>;
  /** Happens exactly once, with the statements that the listener returns. `value` is anything that JSON can say. */
  put(key: string, value: unknown, ttlSeconds: number): void;
  /** Happens exactly once, likewise. */
  delete(key: string): void;
}

export interface Listener {
  readonly name: string;
  /**
   * What it throws is a failed attempt. Statements that it returns, and what it writes to the cache, are committed in
   * one batch with the event's idempotency key, so these effects happen exactly once for each event and subscription,
   * also when a seek or a replay brings the event again: then it is not called. What it does by other means happens at
   * least once. To have all effects anew, as after a change of the code, make another subscription.
   */
  handle(event: ListenerEvent, context: ListenerContext): ListenerEffects | Promise<ListenerEffects>;
}

export type ListenerEffects = readonly D1PreparedStatement[] | void;

export const defineListener = (listener: Listener): Listener => listener;
