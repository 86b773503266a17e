/** The listeners that this hub was built with, by name. */
import type { Listener } from "./define-listener.ts";

const listenersByName = new Map<string, Listener>();

/** At start. Throws on a second listener of a name, because one of them would silently never be called. */
export function registerListeners(listeners: readonly Listener[]): void {
  for (const listener of listeners) {
    if (listenersByName.has(listener.name)) throw new Error(`two listeners are named "${listener.name}"`);
    listenersByName.set(listener.name, listener);
  }
}

export const findListener = (name: string): Listener | null => listenersByName.get(name) ?? null;
