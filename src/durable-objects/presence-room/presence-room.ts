/**
 * One presence channel: who is here, over all hubs. Hubs report their connections; the room decides who is a member,
 * tells every hub that looks on, and tells the app's topic of presence. Or one user (core/user-room.ts), who is here
 * while it is signed in anywhere; nobody but those hubs is told. The door only: who is present stands in
 * core/roster.ts, telling in watchers.ts.
 */
import { DurableObject } from "cloudflare:workers";
import { readConfig } from "../../config.ts";
import { parseObjectName } from "../../core/keys.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { MemberReport } from "../../core/roster.ts";
import { signedInPlan, silencePlan, type SilencePlan } from "../../core/silence.ts";
import { PRESENCE_TOPIC } from "../../core/system-event.ts";
import { isUserRoom } from "../../core/user-room.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { Announcer } from "../announcer.ts";
import type { WorkerGateRpc } from "../rpc.ts";
import type { MembersPage, PresenceRoomRpc, SeatAnswer, SeatReport } from "../rpc/presence-room.ts";
import { acceptReport } from "./accept-report.ts";
import { RoomState } from "./room-state.ts";
import { Watchers } from "./watchers.ts";

export class PresenceRoom extends DurableObject<Env> implements PresenceRoomRpc {
  readonly #room: RoomState;
  readonly #watchers: Watchers;
  readonly #announcer: Announcer;
  readonly #plan: SilencePlan;
  /** When the alarm is set for; null: not set, or not known since the last wake, which costs one setting too many. */
  #alarmAt: number | null = null;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    const name = parseObjectName(ctx.id.name);
    if (name.kind !== "presence") throw new Error(`a presence room cannot be named ${ctx.id.name}`);
    const { app, channel } = name;
    this.#room = new RoomState(ctx, app, channel);
    this.#watchers = new Watchers(this.#room, env);
    this.#plan = (isUserRoom(channel) ? signedInPlan : silencePlan)(readConfig(env).presenceSilenceMs);
    const { announcements } = this.#room;
    const { WorkerGate } = (ctx as unknown as { exports: { WorkerGate: WorkerGateRpc } }).exports;
    this.#announcer = new Announcer({ app, topic: PRESENCE_TOPIC, announcements, teller: channel }, () => WorkerGate);
  }

  async report(report: SeatReport): Promise<SeatAnswer> {
    const { version } = this.#room.roster;
    const answer = acceptReport(this.#room, this.#watchers, report, Date.now());
    const isMove = report.entered.length > 0 || report.left.length > 0;
    if (isMove || report.known === null) this.ctx.waitUntil(this.#watchers.askUnheard());
    if (this.#room.roster.version > version) this.#tell();
    this.#arrange();
    return answer;
  }

  async members(epoch: number, after: string, limit: number): Promise<Result<MembersPage>> {
    await this.#watchers.askUnheard();
    const { roster } = this.#room;
    if (this.#room.isOver(epoch)) return fail("topic_not_found");
    if (!this.#room.isIn(epoch)) return ok({ items: [], count: 0, version: roster.version }); // Nobody has come yet.
    const later = roster.members().filter(({ id }) => id > after);
    const items = later.toSorted((left, right) => (left.id < right.id ? -1 : 1)).slice(0, limit);
    return ok({ items, count: roster.size, version: roster.version });
  }

  async member(epoch: number, user: string): Promise<Result<MemberReport | null>> {
    await this.#watchers.askUnheard();
    if (this.#room.isOver(epoch)) return fail("topic_not_found");
    return ok(this.#room.isIn(epoch) ? this.#room.roster.find(user) : null);
  }

  async end(epoch: number): Promise<void> {
    if (!this.#room.end(epoch)) return;
    this.#watchers.clear();
    this.ctx.waitUntil(this.#announcer.run());
    this.#arrange();
  }

  /** Who did not return leaves, a silent hub loses its members, and what is untold is told. Never throws. */
  override async alarm(): Promise<void> {
    this.#alarmAt = null;
    try {
      this.#room.change(() => this.#room.roster.elapse(Date.now()));
      const lapsed = await this.#watchers.askLapsed(Date.now(), this.#plan);
      this.#room.change(() => lapsed.flatMap((hub) => this.#room.roster.lapse(hub)));
      this.#arrange();
      // Not awaited: those who leave next do not wait for a hub that is slow to hear of these.
      this.ctx.waitUntil(Promise.all([this.#watchers.tellAgain(), this.#announcer.run()]));
    } catch (error) {
      logStage("room.alarm_failed", { channel: this.#room.channel, error: String(error) });
      this.#setAlarm(Date.now() + LIMITS.TELL_AGAIN_MS);
    }
  }

  #tell(): void {
    this.ctx.waitUntil(this.#watchers.tellOthers());
    this.ctx.waitUntil(this.#announcer.run());
  }

  /** One alarm, at the earliest thing due. With nobody here and everything told there is none. */
  #arrange(): void {
    const owes = this.#watchers.isBehind || !this.#room.announcements.isEmpty();
    const again = owes ? Date.now() + LIMITS.TELL_AGAIN_MS : null;
    const due = [this.#room.roster.nextLeave, this.#watchers.nextLapse(this.#plan), again].filter((at) => at !== null);
    if (due.length > 0) this.#setAlarm(Math.min(...due));
  }

  /** Never puts off an alarm that stands sooner: it looks, finds nothing, and stands anew. */
  #setAlarm(at: number): void {
    if (this.#alarmAt !== null && this.#alarmAt <= at) return;
    this.#alarmAt = at;
    this.ctx.waitUntil(this.ctx.storage.setAlarm(at));
  }
}
