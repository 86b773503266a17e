/**
 * The hub's one alarm, at whichever comes first: going on with replays after an eviction, the end of a credential, or a
 * look at who is still present or follows. With none of them it is taken away, so that an idle hub sleeps.
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
  readonly #others: (() => number | null)[] = [];
  /** What the runtime was told last; undefined: that was another instance of this object. */
  #standsAt: number | null | undefined = undefined;

  constructor(hub: HubState) {
    this.#hub = hub;
  }

  /** Another part of the hub is due then; null: it is not. */
  include(dueAt: () => number | null): void {
    this.#others.push(dueAt);
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
    const due = [this.#goOnAt, endsAt, ...this.#others.map((other) => other())].filter((at) => at !== null);
    const dueAt = due.length === 0 ? null : Math.min(...due);
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
