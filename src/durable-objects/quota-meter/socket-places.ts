/**
 * Gives places for sockets to the hubs of the app, in turns: what a hub holds changes only in a turn, by a call that
 * the hub has answered before the next turn begins. In memory only, because the hubs know the truth: a meter that has
 * just woken, or hears of another limit, asks all of them.
 */
import { givePlaces, type HeldPlaces, type PlaceAsk } from "../../core/socket-places.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import { channelHubNamed } from "../../stubs.ts";
import type { WorkerGateRpc } from "../rpc.ts";

/** A place that was given up in another hub is found so soon. */
const LOOK_AGAIN_MS = 1_000;

interface Subject {
  readonly limit: number;
  readonly heldByHub: Map<string, number>;
  lookedAt: number;
}

export class SocketPlaces {
  readonly #env: Env;
  readonly #app: string;
  readonly #gate: WorkerGateRpc;
  readonly #subjects = new Map<string, Subject>();
  #turn: Promise<unknown> = Promise.resolve();

  constructor(env: Env, app: string, gate: WorkerGateRpc) {
    this.#env = env;
    this.#app = app;
    this.#gate = gate;
  }

  /** All of the places or none. Rejects when a hub cannot be reached that must be asked. */
  hold(hub: string, asks: readonly PlaceAsk[]): Promise<Result<null>> {
    const held = this.#turn.then(() => this.#hold(hub, asks));
    this.#turn = held.catch(() => undefined);
    return held;
  }

  async #hold(hub: string, asks: readonly PlaceAsk[]): Promise<Result<null>> {
    const given: HeldPlaces[] = [];
    for (const ask of asks) {
      const places = await this.#give(hub, ask);
      if (places === null) return refusal(ask);
      given.push({ subject: ask.subject, limit: ask.limit, places });
    }
    for (const { subject, places } of given) this.#subjects.get(subject)!.heldByHub.set(hub, places);
    await channelHubNamed(this.#env, hub).holdPlaces(given);
    return ok(null);
  }

  async #give(hub: string, ask: PlaceAsk): Promise<number | null> {
    const known = this.#subjects.get(ask.subject);
    const subject = known?.limit === ask.limit ? known : await this.#look(hub, ask);
    const places = giveFrom(subject, hub, ask);
    if (places !== null || Date.now() - subject.lookedAt < LOOK_AGAIN_MS) return places;
    return giveFrom(await this.#look(hub, ask), hub, ask);
  }

  /** Every other hub gives back what it does not use. */
  async #look(hub: string, { subject, limit }: PlaceAsk): Promise<Subject> {
    const others = (await this.#gate.hubNames(this.#app)).filter((name) => name !== hub);
    const heldByHub = new Map(
      await Promise.all(
        others.map(async (name) => [name, await channelHubNamed(this.#env, name).keepPlaces(subject)] as const),
      ),
    );
    const looked = { limit, heldByHub, lookedAt: Date.now() };
    this.#subjects.set(subject, looked);
    return looked;
  }
}

function giveFrom({ heldByHub }: Subject, hub: string, ask: PlaceAsk): number | null {
  const others = [...heldByHub].reduce((sum, [name, places]) => (name === hub ? sum : sum + places), 0);
  return givePlaces(ask, others, heldByHub.size);
}

const refusal = ({ subject, limit }: PlaceAsk): Result<never> =>
  fail(
    "quota_exceeded",
    `The ${subject === "app" ? "app" : "key"} has as many sockets, streams and long polls open as it may.`,
    { limit, actual: limit },
  );
