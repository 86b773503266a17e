/**
 * One app's meter: how much of its quotas over time is lent out, of the app's and of its keys'. It alone lends, and
 * each answer leaves after its rows are durable, so no crash lends anything twice. Days are rows. Seconds are kept in
 * memory: an object that dies takes the count of one second with it. Sockets are no rate: see socket-places.ts.
 */
import { DurableObject } from "cloudflare:workers";
import {
  lend,
  RATE_WINDOW_MS,
  takeBack,
  type LeaseAnswer,
  type LeaseAsk,
  type LeaseReturn,
  type WindowCount,
} from "../../core/quota-lease.ts";
import { parseObjectName } from "../../core/keys.ts";
import type { Result } from "../../core/result.ts";
import type { PlaceAsk } from "../../core/socket-places.ts";
import type { Env } from "../../env.ts";
import { countedSql } from "../counted-sql.ts";
import { applyMigrations } from "../object-migrations.ts";
import type { WorkerGateRpc } from "../rpc.ts";
import type { QuotaMeterRpc } from "../rpc/quota-meter.ts";
import { CountStore } from "./count-store.ts";
import { METER_MIGRATIONS } from "./meter-migrations.ts";
import { SocketPlaces } from "./socket-places.ts";

export class QuotaMeter extends DurableObject<Env> implements QuotaMeterRpc {
  readonly #days: CountStore;
  readonly #places: SocketPlaces;
  /** By subject. */
  readonly #seconds = new Map<string, WindowCount>();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    applyMigrations(ctx.storage, METER_MIGRATIONS);
    const { app } = parseObjectName(ctx.id.name);
    this.#days = new CountStore(countedSql(ctx.storage.sql, app, "quota"));
    const { WorkerGate: gate } = (ctx as unknown as { exports: { WorkerGate: WorkerGateRpc } }).exports;
    this.#places = new SocketPlaces(env, app, gate);
  }

  holdPlaces(hub: string, asks: readonly PlaceAsk[]): Promise<Result<null>> {
    return this.#places.hold(hub, asks);
  }

  async lease(asks: readonly LeaseAsk[], returns: readonly LeaseReturn[]): Promise<readonly LeaseAnswer[]> {
    const now = Date.now();
    return this.ctx.storage.transactionSync(() => {
      for (const returned of returns) {
        const count = takeBack(this.#read(returned), returned);
        if (count !== null) this.#write(returned, count);
      }
      return asks.map((ask) => {
        const { count, answer } = lend(this.#read(ask), ask, now);
        if (answer.units > 0) this.#write(ask, count);
        return answer;
      });
    });
  }

  #read({ subject, rate }: Counted): WindowCount | null {
    return isOfDays(rate) ? this.#days.find(subject, rate) : (this.#seconds.get(subject) ?? null);
  }

  #write({ subject, rate }: Counted, count: WindowCount): void {
    if (isOfDays(rate)) this.#days.write(subject, rate, count);
    else this.#seconds.set(subject, count);
  }
}

type Counted = Pick<LeaseAsk, "subject" | "rate">;

const isOfDays = (rate: LeaseAsk["rate"]): boolean => RATE_WINDOW_MS[rate] > RATE_WINDOW_MS.requestsPerSecond;
