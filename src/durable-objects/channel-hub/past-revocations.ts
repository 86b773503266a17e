/**
 * A revocation tells every hub whose row stands. A hub whose row came later asks for itself, once, before it lets its
 * first socket in: whichever came first, the row of the hub or that of the revocation, the hub knows.
 */
import type { HubState } from "./hub-state.ts";

export class PastRevocations {
  readonly #hub: HubState;
  readonly #app: string;
  #asking: Promise<void> | null = null;

  constructor(hub: HubState, app: string) {
    this.#hub = hub;
    this.#app = app;
  }

  /** Rejects while they cannot be read, and nobody is let in. */
  async learnOnce(): Promise<void> {
    if (this.#hub.revocations.arePastKnown) return;
    this.#asking ??= this.#learn().finally(() => (this.#asking = null));
    await this.#asking;
  }

  async #learn(): Promise<void> {
    const { gate, revocations } = this.#hub;
    let page = await gate.revocations(this.#app, 0);
    while (page.length > 0) {
      for (const revocation of page) revocations.put(revocation);
      page = await gate.revocations(this.#app, page.at(-1)!.version);
    }
    revocations.markPastKnown();
  }
}
