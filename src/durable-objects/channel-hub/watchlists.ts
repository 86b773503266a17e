/** Which of the hub's connections watch which users: one row a connection, and by user in memory. */
import { userRoom } from "../../core/user-room.ts";
import type { WatchlistRow, WatchlistStore } from "./watchlist-store.ts";

export class Watchlists {
  readonly #store: WatchlistStore;
  /** By connection. Rows are replaced, never changed. */
  readonly #lists = new Map<string, WatchlistRow>();
  /** Connections by the room of the user that they watch. */
  readonly #watchers = new Map<string, Set<string>>();

  /** After a crash most close handlers never ran: the list of a socket that is not there goes. */
  constructor(store: WatchlistStore, isLive: (connection: string) => boolean) {
    this.#store = store;
    for (const row of store.all()) {
      if (isLive(row.connection)) this.#add(row);
      else store.remove(row.connection);
    }
  }

  find(connection: string): WatchlistRow | null {
    return this.#lists.get(connection) ?? null;
  }

  /** Replaces the list that it had. */
  put(row: WatchlistRow): void {
    this.#take(row.connection);
    this.#add(row);
    this.#store.put(row);
  }

  remove(connection: string): void {
    if (this.#take(connection)) this.#store.remove(connection);
  }

  /** Those who were not told yet who is online. */
  get ungreeted(): WatchlistRow[] {
    return [...this.#lists.values()].filter(({ greeted }) => !greeted);
  }

  isWatched(room: string): boolean {
    return this.#watchers.has(room);
  }

  /** Connections whose clients hear of the user's coming and going. */
  watchersOf(room: string): string[] {
    return [...(this.#watchers.get(room) ?? [])].filter((connection) => this.find(connection)?.greeted === true);
  }

  #add(row: WatchlistRow): void {
    this.#lists.set(row.connection, row);
    for (const room of row.users.map(userRoom)) {
      const watchers = this.#watchers.get(room) ?? new Set<string>();
      this.#watchers.set(room, watchers.add(row.connection));
    }
  }

  #take(connection: string): boolean {
    for (const room of (this.find(connection)?.users ?? []).map(userRoom)) {
      const watchers = this.#watchers.get(room);
      watchers?.delete(connection);
      if (watchers?.size === 0) this.#watchers.delete(room);
    }
    return this.#lists.delete(connection);
  }
}
