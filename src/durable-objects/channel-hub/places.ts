/** Places for sockets, where a quota bounds them over all hubs of the app: asked of its meter as they are needed. */
import { keepPlaces, type HeldPlaces, type PlaceAsk } from "../../core/socket-places.ts";
import { parseObjectName } from "../../core/keys.ts";
import type { Principal } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { quotaMeter } from "../../stubs.ts";
import type { Env } from "../../env.ts";
import type { Connection } from "./connection.ts";

const TRIES = 5;

/** Whose sockets are bounded, and how. */
type Bound = Pick<PlaceAsk, "subject" | "limit">;

/** In memory only: a hub that has forgotten what it holds asks again. */
export class Places {
  readonly #env: Env;
  readonly #hubName: string;
  readonly #app: string;
  /** By id. */
  readonly #connections: ReadonlyMap<string, Connection>;
  /** By subject. */
  readonly #held = new Map<string, HeldPlaces>();
  readonly #waiting = new Map<string, number>();

  constructor(env: Env, hubName: string, connections: ReadonlyMap<string, Connection>) {
    this.#env = env;
    this.#hubName = hubName;
    this.#app = parseObjectName(hubName).app;
    this.#connections = connections;
  }

  /**
   * Lets one more in: `enter` runs in the very turn in which there is a place, and must take it, or answer that it
   * did not. `leaving`: whose place the same socket has now. Fails with `quota_exceeded` or `quota_unavailable`.
   */
  async take<Value>(principal: Principal, leaving: Principal | null, enter: () => Value): Promise<Result<Value>> {
    const bounds = boundsOf(principal).filter(({ subject }) => leaving === null || !isOf(leaving, subject));
    for (const { subject } of bounds) this.#wait(subject, 1);
    try {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const lacking = bounds.filter((bound) => this.#count(bound.subject) >= this.#heldUnder(bound));
        if (lacking.length === 0) return ok(enter());
        const held = await this.#ask(lacking);
        if (!held.ok) return held;
      }
    } catch (error) {
      console.warn(JSON.stringify({ stage: "hub.places_unknown", app: this.#app, error: String(error) }));
    } finally {
      for (const { subject } of bounds) this.#wait(subject, -1);
    }
    return fail("quota_unavailable", undefined, { retryAfterSeconds: 1 });
  }

  #ask(bounds: readonly Bound[]): Promise<Result<null>> {
    const asks = bounds.map(({ subject, limit }) => ({
      subject,
      limit,
      needed: this.#count(subject) + this.#waiting.get(subject)!,
    }));
    return quotaMeter(this.#env, this.#app).holdPlaces(this.#hubName, asks);
  }

  /** What the meter has given, in answer to an ask that is still under way. */
  hold(given: readonly HeldPlaces[]): void {
    for (const held of given) if (this.#waiting.has(held.subject)) this.#held.set(held.subject, held);
  }

  /** Gives back what is not used; answers what is left. */
  keep(subject: string): number {
    const waiting = this.#waiting.get(subject) ?? 0;
    const held = this.#held.get(subject);
    const places = keepPlaces({ sockets: this.#count(subject), waiting, held: held?.places ?? 0 });
    if (held !== undefined) this.#held.set(subject, { ...held, places });
    return places;
  }

  #heldUnder({ subject, limit }: Bound): number {
    const held = this.#held.get(subject);
    return held?.limit === limit ? held.places : 0;
  }

  #count(subject: string): number {
    return [...this.#connections.values()].filter(({ principal }) => isOf(principal, subject)).length;
  }

  #wait(subject: string, more: number): void {
    const waiting = (this.#waiting.get(subject) ?? 0) + more;
    if (waiting > 0) this.#waiting.set(subject, waiting);
    else this.#waiting.delete(subject);
  }
}

/** No key has this id. */
const APP = "app";

/** Tokens count with the key behind them. */
const isOf = (principal: Principal, subject: string): boolean =>
  subject === APP || (principal.kind !== "root" && principal.key === subject);

/** Who has no quota asks nobody. */
function boundsOf(principal: Principal): Bound[] {
  const ofApp = principal.quotas.sockets;
  const bounds = ofApp === undefined ? [] : [{ subject: APP, limit: ofApp }];
  if (principal.kind === "root" || principal.keyQuotas.sockets === undefined) return bounds;
  return [...bounds, { subject: principal.key, limit: principal.keyQuotas.sockets }];
}
