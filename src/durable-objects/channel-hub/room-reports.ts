/**
 * Tells rooms who of the hub's connections came and left: for each channel one call at a time, each with all that has
 * changed since, and again until it is answered. So calls cannot pass each other, and what is lost is told anew.
 */
import { unreachable } from "../../core/assert.ts";
import type { Failure } from "../../core/errors.ts";
import type { PresenceNews } from "../../core/member-view.ts";
import { presenceRoom } from "../../stubs.ts";
import type { Seat, SeatAnswer } from "../rpc/presence-room.ts";
import { endChannel } from "./deliver.ts";
import type { HubAlarm } from "./hub-alarm.ts";
import type { HubState } from "./hub-state.ts";
import type { SeatRow } from "./seat-store.ts";

/** Those who may not enter, by connection. */
export type Refusals = ReadonlyMap<string, Failure>;

const RETRY_MS = 2_000;

interface Lane {
  running: Promise<Refusals> | null;
  /** Those who come while a call is under way share the next. */
  next: Promise<Refusals> | null;
}

export class RoomReports {
  readonly #hub: HubState;
  readonly #alarm: HubAlarm;
  readonly #app: string;
  readonly #takeNews: (topic: string, news: PresenceNews) => void;
  readonly #lanes = new Map<string, Lane>();
  /** Topics whose room is told of every seat. */
  readonly #whole = new Set<string>();
  /** Greater than those of the instance before, unless the clock was set back: a room then says what it knows. */
  #seq = Date.now();
  /** A room could not be reached, and is told then; null: none waits. */
  retryAt: number | null = null;

  constructor(hub: HubState, alarm: HubAlarm, app: string, takeNews: (topic: string, news: PresenceNews) => void) {
    this.#hub = hub;
    this.#alarm = alarm;
    this.#app = app;
    this.#takeNews = takeNews;
  }

  /** Resolves when all that is untold by now is told; rejects when the room cannot be reached. */
  tell(topic: string): Promise<Refusals> {
    const lane = this.#lanes.get(topic) ?? { running: null, next: null };
    this.#lanes.set(topic, lane);
    if (lane.running === null) {
      lane.running = this.#call(topic).finally(() => {
        lane.running = null;
        if (lane.next === null) this.#lanes.delete(topic);
      });
      return lane.running;
    }
    lane.next ??= lane.running
      .catch(() => undefined)
      .then(() => {
        lane.next = null;
        return this.tell(topic);
      });
    return lane.next;
  }

  /** Tells the room sooner or later; nobody waits for it. */
  tellSoon(topic: string): void {
    const told = this.tell(topic).catch((error: unknown) => {
      this.retryAt ??= Date.now() + RETRY_MS;
      this.#alarm.arrange();
      console.warn(JSON.stringify({ stage: "hub.room_not_told", topic, error: String(error) }));
    });
    this.#hub.ctx.waitUntil(told);
  }

  /** Of every seat, so that the room knows what it should, and that the hub is there. */
  tellWhole(topic: string): void {
    this.#whole.add(topic);
    this.tellSoon(topic);
  }

  tellUntold(): void {
    this.retryAt = null;
    for (const topic of this.#hub.seats.untoldTopics) this.tellSoon(topic);
  }

  async #call(topic: string): Promise<Refusals> {
    const { seats, views, env, ctx } = this.#hub;
    const life = this.#hub.roomLifeOf(topic);
    if (life === undefined) return new Map();
    const rows = seats.untold(topic);
    const isWhole = this.#whole.delete(topic);
    this.#seq = Math.max(this.#seq + 1, Date.now());
    const answer = await presenceRoom(env, this.#app, topic).report({
      hub: ctx.id.name!,
      epoch: life.epoch,
      seq: this.#seq,
      known: views.find(topic)?.version ?? null,
      entered: rows.filter(({ graceMs }) => graceMs === null).map(seatOf),
      left: rows.flatMap(({ connection, graceMs }) => (graceMs === null ? [] : [{ connection, graceMs }])),
      all: isWhole ? seats.members(topic).map(seatOf) : null,
    });
    return this.#hub.roomLifeOf(topic) === life ? this.#take(topic, rows, answer) : new Map();
  }

  #take(topic: string, rows: readonly SeatRow[], answer: SeatAnswer): Refusals | Promise<Refusals> {
    switch (answer.kind) {
      case "accepted": {
        const refusals = new Map(answer.refused.map(({ connection, failure }) => [connection, failure]));
        this.#takeNews(topic, answer.news);
        const present = this.#hub.views.find(topic)?.members;
        for (const row of rows) {
          // Who is a member already goes on as it was when what it shows is refused.
          const isRefused = refusals.has(row.connection) && present?.has(row.member!.id) !== true;
          this.#hub.seats.settle(row, isRefused);
        }
        return refusals;
      }
      case "late":
        this.#seq = answer.seq;
        this.#whole.add(topic);
        return this.#call(topic);
      case "over": {
        const channel = this.#hub.channels.get(topic);
        if (channel !== undefined) endChannel(this.#hub, channel);
        return new Map();
      }
      default:
        return unreachable(answer);
    }
  }
}

const seatOf = ({ connection, member }: SeatRow): Seat => ({ connection, member: member! });
