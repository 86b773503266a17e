/**
 * Who has signed in is online with that connection, which its user's own room counts over all hubs
 * (core/user-room.ts); and it hears who of its watchlist is online, first of all of them and then of each change.
 */
import { LIMITS } from "../../core/limits.ts";
import { userRoom } from "../../core/user-room.ts";
import { logStage } from "../../observability/log.ts";
import type { Connection } from "./connection.ts";
import type { HubAlarm } from "./hub-alarm.ts";
import type { HubState } from "./hub-state.ts";
import type { Presence } from "./presence.ts";

export class SignedInUsers {
  readonly #hub: HubState;
  readonly #alarm: HubAlarm;
  readonly #presence: Presence;
  /** Some room could not be reached, and is asked again then; null: nobody waits. */
  #retryAt: number | null = null;

  constructor(hub: HubState, alarm: HubAlarm, presence: Presence) {
    this.#hub = hub;
    this.#alarm = alarm;
    this.#presence = presence;
    alarm.include(() => this.#retryAt);
    this.#greetAll();
  }

  /** Nobody waits for the rooms. Who signs in once more, with the same list, is told nothing anew. */
  add(connection: Connection, user: string, watchlist: readonly string[]): void {
    this.#presence.enterUserRoom(connection, user);
    const { watchlists, ctx } = this.#hub;
    const before = watchlists.find(connection.id)?.users ?? [];
    if (JSON.stringify(watchlist) === JSON.stringify(before)) return;
    if (watchlist.length === 0) return watchlists.remove(connection.id);
    watchlists.put({ connection: connection.id, users: watchlist, greeted: false });
    ctx.waitUntil(this.#greet(connection));
  }

  /** The alarm's part. */
  wentOff(now: number): void {
    if ((this.#retryAt ?? Infinity) > now) return;
    this.#retryAt = null;
    this.#greetAll();
  }

  #greetAll(): void {
    for (const { connection: id } of this.#hub.watchlists.ungreeted) {
      const connection = this.#hub.connections.get(id);
      if (connection !== undefined) this.#hub.ctx.waitUntil(this.#greet(connection));
    }
  }

  /** Says who is online when every room has answered. Never rejects. */
  async #greet(connection: Connection): Promise<void> {
    const { watchlists, views, dialect } = this.#hub;
    const asked = watchlists.find(connection.id);
    if (asked === null || asked.greeted) return;
    try {
      await Promise.all(asked.users.map((user) => this.#presence.learnMembers(userRoom(user))));
    } catch (error) {
      logStage("hub.watchlist_unanswered", { users: asked.users.length, error: String(error) });
    }
    // No await from here on: whatever changes later is told as a change.
    if (watchlists.find(connection.id) !== asked) return; // It has gone, or has another list.
    if (asked.users.some((user) => views.find(userRoom(user)) === null)) return this.#later();
    watchlists.put({ ...asked, greeted: true });
    const isOnline = (user: string): boolean => views.find(userRoom(user))!.members.size > 0;
    const offline = asked.users.filter((user) => !isOnline(user));
    connection.send(dialect.whoIsOnline(asked.users.filter(isOnline), offline));
  }

  #later(): void {
    this.#retryAt ??= Date.now() + LIMITS.TELL_AGAIN_MS;
    this.#alarm.arrange();
  }
}
