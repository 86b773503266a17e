/**
 * Looks now and then who is still there (core/silence.ts): each minute at members of presence channels, and every five
 * at who is only signed in. What was left behind is put right in the same looks, after a crash as well.
 */
import { judgeAnswer, judgeQuiet, signedInPlan, silencePlan, type SilencePlan } from "../../core/silence.ts";
import { isUserRoom } from "../../core/user-room.ts";
import { readConfig } from "../../config.ts";
import type { Connection } from "./connection.ts";
import type { HubAlarm } from "./hub-alarm.ts";
import type { HubState } from "./hub-state.ts";
import type { SilenceLook } from "./seat-store.ts";

export class SilenceLooks {
  readonly #hub: HubState;
  readonly #alarm: HubAlarm;
  /** Of members of presence channels. */
  readonly #plan: SilencePlan;
  readonly #signedInPlan: SilencePlan;
  readonly #tellWhole: (topic: string) => void;
  /** Null: nobody is a member here. */
  #look: SilenceLook | null;

  /** `tellWhole` tells a channel's room of every seat. */
  constructor(hub: HubState, alarm: HubAlarm, tellWhole: (topic: string) => void) {
    this.#hub = hub;
    this.#alarm = alarm;
    const { presenceSilenceMs } = readConfig(hub.env);
    this.#plan = silencePlan(presenceSilenceMs);
    this.#signedInPlan = signedInPlan(presenceSilenceMs);
    this.#tellWhole = tellWhole;
    this.#look = hub.seatStore.look();
    alarm.include(() => this.#look?.lookAt ?? null);
  }

  /** The connection has become a member. */
  begin(connection: Connection): void {
    const now = Date.now();
    connection.heardAt = now;
    this.#hub.noteHeard(connection);
    const fullAt = now + this.#planOf(connection.id).lookMs;
    if (this.#look === null) this.#setLook({ lookAt: fullAt, fullAt, askedAt: 0 });
    else if (fullAt < this.#look.fullAt)
      this.#setLook({ ...this.#look, lookAt: Math.min(fullAt, this.#look.lookAt), fullAt });
  }

  /** The client has said something. A ping does not come here: the runtime answers it and notes when. */
  heard(connection: Connection, now: number): void {
    connection.heardAt = now;
    if (now - connection.heardNotedAt < this.#plan.quietMs / 2) return;
    if (this.#hub.seats.roomsOf(connection.id).length > 0) this.#hub.noteHeard(connection);
  }

  /** The alarm's part. */
  wentOff(now: number): void {
    if (this.#look !== null && this.#look.lookAt <= now) this.#setLook(this.#lookForSilent(this.#look, now));
  }

  /** Asks who is quiet or looks at the answers, and says when to look next; null: nobody is a member here any more. */
  #lookForSilent({ fullAt, askedAt }: SilenceLook, now: number): SilenceLook | null {
    const { seats } = this.#hub;
    const isFull = fullAt <= now;
    const looks = this.#memberConnections().map((connection) =>
      isFull ? this.#ask(connection, now) : this.#lookAtAnswer(connection, askedAt, now),
    );
    const rooms = seats.memberTopics;
    const channels = rooms.filter((room) => !isUserRoom(room));
    if (isFull) for (const channel of channels) this.#tellWhole(channel);
    if (rooms.length === 0) return null;
    const { lookMs } = channels.length > 0 ? this.#plan : this.#signedInPlan;
    const nextFullAt = isFull ? now + lookMs : fullAt;
    return { lookAt: Math.min(nextFullAt, ...looks), fullAt: nextFullAt, askedAt: isFull ? now : askedAt };
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
    const plan = this.#planOf(connection.id);
    if (judgeQuiet(this.#heardAt(connection), now, plan).kind === "heard") return Infinity;
    connection.askIfThere(this.#hub.dialect.probe);
    return now + plan.answerMs;
  }

  #lookAtAnswer(connection: Connection, askedAt: number, now: number): number {
    const verdict = judgeAnswer(this.#heardAt(connection), askedAt, now, this.#planOf(connection.id));
    if (verdict.kind === "gone") this.#hub.end(connection, { code: "connection_silent" });
    return verdict.kind === "wait" ? verdict.until : Infinity;
  }

  #planOf(connection: string): SilencePlan {
    return this.#hub.seats.roomsOf(connection).every(isUserRoom) ? this.#signedInPlan : this.#plan;
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
