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
import { judgeAnswer, judgeQuiet, silencePlan, type SilencePlan } from "../../core/silence.ts";
import { readConfig } from "../../config.ts";
import type { MembersAnswer, MembersPush } from "../rpc/presence-room.ts";
import type { Connection } from "./connection.ts";
import { endChannel } from "./deliver.ts";
import type { MembersShown } from "./dialect.ts";
import type { HubAlarm } from "./hub-alarm.ts";
import type { HubState } from "./hub-state.ts";
import { dataOf } from "./presence-ask.ts";
import { RoomReports } from "./room-reports.ts";
import type { SilenceLook } from "./seat-store.ts";

type PresenceMessage = Extract<ClientMessage, { op: "presence" }>;

export class Presence {
  readonly #hub: HubState;
  readonly #alarm: HubAlarm;
  readonly #reports: RoomReports;
  readonly #plan: SilencePlan;
  #look: SilenceLook | null;

  constructor(hub: HubState, alarm: HubAlarm, app: string) {
    this.#hub = hub;
    this.#alarm = alarm;
    this.#plan = silencePlan(readConfig(hub.env).presenceSilenceMs);
    this.#reports = new RoomReports(hub, alarm, app, (topic, news) => this.#takeNews(topic, news));
    this.#look = hub.seatStore.look();
    hub.seats.whenUntold = (topic) => this.#reports.tellSoon(topic);
    alarm.include(() => this.#dueAt);
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
    if (member !== null) this.#beginLooking(connection);
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

  /** The client's own message. Answers a failure to be told, or null when everything was said. */
  async sayAnew(connection: Connection, { ref, topic, data }: PresenceMessage): Promise<Failure | null> {
    if (!allows(connection.principal, "presence", topic)) return { code: "scope_missing" };
    const updated = await this.update(connection, topic, dataOf(connection.principal, data));
    if (!updated.ok) return updated.failure;
    connection.send(this.#hub.dialect.presenceUpdated(ref, topic, updated.value));
    return null;
  }

  async accept({ topic, epoch, news }: MembersPush): Promise<MembersAnswer> {
    const { channels, seats, views } = this.#hub;
    const channel = channels.get(topic);
    if (channel !== undefined && epoch > channel.epoch) endChannel(this.#hub, channel); // The farewell was lost.
    if (channel === undefined || epoch !== channel.epoch) return { kind: "gone" };
    if (!seats.has(topic)) {
      views.drop(topic);
      return { kind: "gone" };
    }
    this.#takeNews(topic, news);
    // A room that asks who is still here is told before it is answered.
    if (seats.untold(topic).length > 0) await this.#reports.tell(topic).catch(() => undefined);
    return { kind: "accepted", version: views.find(topic)?.version ?? -1 };
  }

  /** The client has said something. A ping does not come here: the runtime answers it and notes when. */
  heard(connection: Connection, now: number): void {
    connection.heardAt = now;
    if (now - connection.heardNotedAt < this.#plan.quietMs / 2 || !this.#hub.seats.isMember(connection.id)) return;
    this.#hub.noteHeard(connection);
  }

  /** The alarm's part. */
  wentOff(now: number): void {
    if ((this.#reports.retryAt ?? Infinity) <= now) this.#reports.tellUntold();
    if (this.#look !== null && this.#look.lookAt <= now) this.#setLook(this.#lookForSilent(this.#look, now));
  }

  get #dueAt(): number | null {
    const due = [this.#look?.lookAt ?? null, this.#reports.retryAt].filter((at) => at !== null);
    return due.length === 0 ? null : Math.min(...due);
  }

  #takeNews(topic: string, news: PresenceNews): void {
    const changes = this.#hub.views.moveOn(topic, news);
    if (changes !== null && changes.length > 0) this.#say(topic, changes);
  }

  #say(topic: string, changes: readonly MemberChange[]): void {
    const { dialect, connections, seats } = this.#hub;
    const said = changes.map((change) => dialect.memberChange(topic, change)).filter((text) => text !== null);
    const frames = Array.from({ length: Math.ceil(said.length / dialect.frameMessagesMax) }, (_, index) =>
      dialect.join(said.slice(index * dialect.frameMessagesMax, (index + 1) * dialect.frameMessagesMax)),
    );
    for (const id of seats.viewers(topic)) {
      const connection = connections.get(id);
      if (connection !== undefined) this.#sendAll(connection, frames);
    }
  }

  /** One that is not heard of and has had its share must come again: a change that is left out cannot be made good. */
  #sendAll(connection: Connection, frames: readonly string[]): void {
    if (frames.every((frame) => this.#hub.sendUnacknowledged(connection, frame))) return;
    this.#hub.end(connection, { code: "reader_too_slow", limit: LIMITS.UNHEARD_BYTES_MAX });
  }

  #beginLooking(connection: Connection): void {
    connection.heardAt = Date.now();
    this.#hub.noteHeard(connection);
    const lookAt = Date.now() + this.#plan.lookMs;
    if (this.#look === null) this.#setLook({ lookAt, fullAt: lookAt });
  }

  /** Asks who is quiet or looks at the answers, and says when to look next; null: nobody is a member here any more. */
  #lookForSilent({ fullAt }: SilenceLook, now: number): SilenceLook | null {
    const { seats } = this.#hub;
    const isFull = fullAt <= now;
    const nextFullAt = isFull ? now + this.#plan.lookMs : fullAt;
    const looks = this.#memberConnections().map((connection) =>
      isFull ? this.#ask(connection, now) : this.#lookAtAnswer(connection, fullAt - this.#plan.lookMs, now),
    );
    if (isFull) for (const topic of seats.memberTopics) this.#reports.tellWhole(topic);
    return seats.memberTopics.length === 0 ? null : { lookAt: Math.min(nextFullAt, ...looks), fullAt: nextFullAt };
  }

  /** Of those that are there. A seat goes with its connection; one that was left behind all the same goes now. */
  #memberConnections(): Connection[] {
    const { connections, seats } = this.#hub;
    return [...seats.memberConnections].flatMap((id) => {
      const connection = connections.get(id);
      if (connection === undefined) seats.leaveAll(id, 0);
      return connection ?? [];
    });
  }

  /** Answers when to look for the answer; infinite: it is not asked. */
  #ask(connection: Connection, now: number): number {
    if (judgeQuiet(this.#heardAt(connection), now, this.#plan).kind === "heard") return Infinity;
    connection.askIfThere(this.#hub.dialect.probe);
    return now + this.#plan.answerMs;
  }

  #lookAtAnswer(connection: Connection, askedAt: number, now: number): number {
    const verdict = judgeAnswer(this.#heardAt(connection), askedAt, now, this.#plan);
    if (verdict.kind === "gone") this.#hub.end(connection, { code: "connection_silent" });
    return verdict.kind === "wait" ? verdict.until : Infinity;
  }

  #heardAt(connection: Connection): number {
    const pingedAt = this.#hub.ctx.getWebSocketAutoResponseTimestamp(connection.socket)?.getTime() ?? 0;
    return Math.max(pingedAt, connection.heardAt);
  }

  #setLook(look: SilenceLook | null): void {
    this.#look = look;
    this.#hub.seatStore.putLook(look);
    this.#alarm.arrange();
  }
}
