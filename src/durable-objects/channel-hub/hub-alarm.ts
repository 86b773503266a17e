/**
 * The hub's one alarm, at whichever comes first: going on with replays after an eviction, or the end of a credential.
 * With neither it is taken away, so that an idle hub sleeps.
 */
import { nextEnd } from "./admission.ts";
import type { HubState } from "./hub-state.ts";

/** While somebody is behind. */
const GO_ON_MS = 10_000;
/** Credentials that end close together wake the hub once; none is overstayed by more. */
const END_STEP_MS = 2_000;

export class HubAlarm {
  readonly #hub: HubState;
  /** Null: nobody is behind. */
  #goOnAt: number | null = null;
  /** What the runtime was told last; undefined: that was another instance of this object. */
  #standsAt: number | null | undefined = undefined;

  constructor(hub: HubState) {
    this.#hub = hub;
  }

  /** Somebody is behind. */
  goOnLater(now: number): void {
    this.#goOnAt ??= now + GO_ON_MS;
    this.arrange();
  }

  /** Nobody is behind any more. */
  rest(): void {
    this.#goOnAt = null;
    this.arrange();
  }

  /** To be called when a credential came or changed. One that left may still wake the hub once, for nothing. */
  arrange(): void {
    const end = nextEnd(this.#hub);
    const endsAt = end === null ? null : Math.ceil(end / END_STEP_MS) * END_STEP_MS;
    const dueAt = [this.#goOnAt, endsAt].filter((at) => at !== null).toSorted((left, right) => left - right)[0] ?? null;
    if (dueAt === this.#standsAt) return;
    const { ctx } = this.#hub;
    this.#standsAt = dueAt;
    ctx.waitUntil(dueAt === null ? ctx.storage.deleteAlarm() : ctx.storage.setAlarm(dueAt));
  }

  /** It has gone off, whoever set it. */
  wentOff(): void {
    this.#standsAt = null;
    this.#goOnAt = null;
  }
}
