/**
 * Presence as a hub's clients have it: they enter, look on, say something else of themselves, and hear what becomes of
 * the others. Who is a member over all hubs the channel's room decides.
 */
import type { ClientMessage } from "../../core/client-message.ts";
import type { Failure } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { refuseMemberData, type Member, type MemberChange } from "../../core/member.ts";
import type { PresenceNews } from "../../core/member-view.ts";
import { allows } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { isUserRoom, userRoom } from "../../core/user-room.ts";
import type { MembersAnswer, MembersPush } from "../rpc/presence-room.ts";
import type { Connection } from "./connection.ts";
import { endChannel } from "./deliver.ts";
import type { MembersShown, Said } from "./dialect.ts";
import type { HubAlarm } from "./hub-alarm.ts";
import type { HubState } from "./hub-state.ts";
import { dataOf } from "./presence-ask.ts";
import { RoomReports } from "./room-reports.ts";
import { SilenceLooks } from "./silence-looks.ts";

type PresenceMessage = Extract<ClientMessage, { op: "presence" }>;

export class Presence {
  readonly #hub: HubState;
  readonly #reports: RoomReports;
  readonly #looks: SilenceLooks;

  constructor(hub: HubState, alarm: HubAlarm, app: string) {
    this.#hub = hub;
    this.#reports = new RoomReports(hub, alarm, app, (topic, news) => this.#takeNews(topic, news));
    this.#looks = new SilenceLooks(hub, alarm, (topic) => this.#reports.tellWhole(topic));
    hub.seats.whenUntold = (topic) => this.#reports.tellSoon(topic);
    alarm.include(() => this.#reports.retryAt);
    this.#reports.tellUntold();
  }

  /**
   * Makes the connection a member, or only one that looks on (`member` null); a member that it was leaves then. Fails
   * when the room has no place for it; rejects when the room cannot be reached, and the connection is as it was not.
   */
  async open(connection: Connection, topic: string, member: Member | null): Promise<Result<null>> {
    const { seats, views } = this.#hub;
    seats.take(topic, connection.id, member);
    if (member === null && views.find(topic) !== null) return ok(null);
    if (member !== null) this.#looks.begin(connection);
    try {
      const refusal = (await this.#reports.tell(topic)).get(connection.id);
      return refusal === undefined ? ok(null) : { ok: false, failure: refusal };
    } catch (error) {
      seats.leave(topic, connection.id, 0);
      throw error;
    }
  }

  /** The members now; from this turn on the client hears what becomes of them. Null: the channel has ended. */
  show(connection: Connection, topic: string): MembersShown | null {
    const { seats, views } = this.#hub;
    const view = views.find(topic);
    if (view === null) return null;
    // The member that it was has left.
    if (seats.find(topic, connection.id) === null) seats.take(topic, connection.id, null);
    seats.see(topic, connection.id);
    return { version: view.version, members: [...view.members].map(([id, data]) => ({ id, data })) };
  }

  /** Answers the version from which on the others see it. Fails with `presence_not_entered` and as `open` does. */
  async update(connection: Connection, topic: string, data: string | null): Promise<Result<number>> {
    const { seats, views } = this.#hub;
    const seat = seats.find(topic, connection.id);
    if (seat === null || seat.member === null || seat.graceMs !== null) return fail("presence_not_entered");
    const refusal: Failure | null = refuseMemberData(data);
    if (refusal !== null) return { ok: false, failure: refusal };
    seats.take(topic, connection.id, { id: seat.member.id, data });
    const refused = (await this.#reports.tell(topic)).get(connection.id);
    if (refused !== undefined) return { ok: false, failure: refused };
    return ok(views.find(topic)?.version ?? 0);
  }

  /** The connection is one of the user's now; the user's room is told soon. */
  enterUserRoom(connection: Connection, user: string): void {
    const { seats } = this.#hub;
    if (seats.find(userRoom(user), connection.id) !== null) return;
    seats.take(userRoom(user), connection.id, { id: user, data: null });
    this.#looks.begin(connection);
  }

  /** Resolves when there is a view of the room's members; rejects when the room cannot be reached. */
  async learnMembers(room: string): Promise<void> {
    if (this.#hub.views.find(room) === null) await this.#reports.tell(room);
  }

  /** The client's own message. Answers a failure to be told, or null when everything was said. */
  async sayAnew(connection: Connection, { ref, topic, data }: PresenceMessage): Promise<Failure | null> {
    if (!allows(connection.principal, "presence", topic)) return { code: "scope_missing" };
    const updated = await this.update(connection, topic, dataOf(connection.principal, data));
    if (!updated.ok) return updated.failure;
    connection.send(this.#hub.dialect.presenceUpdated(ref, topic, updated.value));
    return null;
  }

  async accept({ topic, epoch, news }: MembersPush): Promise<MembersAnswer> {
    const { channels, seats, views, watchlists } = this.#hub;
    const channel = channels.get(topic);
    if (channel !== undefined && epoch > channel.epoch) endChannel(this.#hub, channel); // The farewell was lost.
    if (this.#hub.roomLifeOf(topic)?.epoch !== epoch) return { kind: "gone" };
    if (!seats.has(topic) && !watchlists.isWatched(topic)) {
      views.drop(topic);
      return { kind: "gone" };
    }
    this.#takeNews(topic, news);
    // A room that asks who is still here is told before it is answered.
    if (seats.untold(topic).length > 0) await this.#reports.tell(topic).catch(() => undefined);
    return { kind: "accepted", version: views.find(topic)?.version ?? -1 };
  }

  heard(connection: Connection, now: number): void {
    this.#looks.heard(connection, now);
  }

  /** The alarm's part. */
  wentOff(now: number): void {
    if ((this.#reports.retryAt ?? Infinity) <= now) this.#reports.tellUntold();
    this.#looks.wentOff(now);
  }

  #takeNews(topic: string, news: PresenceNews): void {
    const changes = this.#hub.views.moveOn(topic, news);
    if (changes !== null && changes.length > 0) this.#say(topic, changes);
  }

  #say(topic: string, changes: readonly MemberChange[]): void {
    const { dialect, connections } = this.#hub;
    const said = changes.map((change) => this.#textOf(topic, change)).filter((text) => text !== null);
    const frames = Array.from({ length: Math.ceil(said.length / dialect.frameMessagesMax) }, (_, index) =>
      dialect.join(said.slice(index * dialect.frameMessagesMax, (index + 1) * dialect.frameMessagesMax)),
    );
    for (const id of this.#viewersOf(topic)) {
      const connection = connections.get(id);
      if (connection !== undefined) this.#sendAll(connection, frames);
    }
  }

  #textOf(topic: string, change: MemberChange): Said {
    const { dialect } = this.#hub;
    if (!isUserRoom(topic)) return dialect.memberChange(topic, change);
    const user = [change.member.id];
    return change.kind === "removed" ? dialect.whoIsOnline([], user) : dialect.whoIsOnline(user, []);
  }

  #viewersOf(topic: string): string[] {
    return isUserRoom(topic) ? this.#hub.watchlists.watchersOf(topic) : this.#hub.seats.viewers(topic);
  }

  /** One that is not heard of and has had its share must come again: a change that is left out cannot be made good. */
  #sendAll(connection: Connection, frames: readonly string[]): void {
    if (frames.every((frame) => this.#hub.sendUnacknowledged(connection, frame))) return;
    this.#hub.end(connection, { code: "reader_too_slow", limit: LIMITS.UNHEARD_BYTES_MAX });
  }
}
