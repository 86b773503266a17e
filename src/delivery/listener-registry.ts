/** What this hub was built with, by name: listeners, which take events, and handlers, which decide commands. */
import type { CommandHandler } from "../client/command-handler.ts";
import type { Listener } from "./define-listener.ts";

const listenersByName = new Map<string, Listener>();
const handlersByName = new Map<string, CommandHandler>();

/** At start. Throws on a second one of a name, because one of them would silently never be called. */
export function registerListeners(given: readonly (Listener | CommandHandler)[]): void {
  for (const each of given) {
    const { name } = each;
    if (listenersByName.has(name) || handlersByName.has(name)) throw new Error(`two listeners are named "${name}"`);
    if ("decide" in each) handlersByName.set(name, each);
    else listenersByName.set(name, each);
  }
}

export const findListener = (name: string): Listener | null => listenersByName.get(name) ?? null;

export const findCommandHandler = (name: string): CommandHandler | null => handlersByName.get(name) ?? null;
