/** The members of a channel as a store for components, and the own one among them. */
import type { TidingsError } from "./client-error.ts";
import type { Hub } from "./hub.ts";
import type { Member } from "./messages.ts";

export interface PresenceView {
  readonly members: readonly Member[];
  /** What refused to let the own member in, or to show the others; null: nothing did. */
  readonly error: TidingsError | null;
}

export class PresenceStore {
  readonly #hub: Hub;
  readonly #channel: string;
  readonly #listeners = new Set<() => void>();
  #stop: (() => void) | null = null;
  #isPresent = false;
  #shown: PresenceView = { members: [], error: null };

  constructor(hub: Hub, channel: string) {
    this.#hub = hub;
    this.#channel = channel;
  }

  readonly read = (): PresenceView => this.#shown;

  /** Watches the members while anybody listens. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    this.#stop ??= this.#hub.presence.subscribe(
      this.#channel,
      (members) => this.#show({ members, error: null }),
      (error) => this.#show({ ...this.#shown, error }),
    );
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stop?.();
      this.#stop = null;
    };
  };

  /** Enters, or shows something else. */
  readonly enter = (data: unknown): void => {
    const { presence } = this.#hub;
    const done = this.#isPresent ? presence.update(this.#channel, data) : presence.enter(this.#channel, data);
    this.#isPresent = true;
    done.catch((error: TidingsError) => {
      if (error.code !== "not_present") this.#show({ ...this.#shown, error });
    });
  };

  readonly leave = (): void => {
    this.#isPresent = false;
    this.#hub.presence.leave(this.#channel);
  };

  #show(view: PresenceView): void {
    this.#shown = view;
    for (const listener of this.#listeners) listener();
  }
}
