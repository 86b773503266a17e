/** A topic as a store for components: what it shows changes at most once a turn, and is another object when it does. */
import type { ChannelState } from "./channel.ts";
import type { TidingsError } from "./client-error.ts";
import type { AnyDefinition, EventOf } from "./event-definition.ts";
import type { Hub } from "./hub.ts";
import type { Gap } from "./messages.ts";
import type { Item, SubscribeOptions, Subscription } from "./subscription.ts";
import type { Topic } from "./topic-definition.ts";

export interface TopicOptions {
  readonly from?: SubscribeOptions["from"];
  readonly filter?: object | undefined;
  /** How many events are kept to show (500); older ones go. */
  readonly keep?: number | undefined;
}

export interface TopicView<Definition extends AnyDefinition> {
  readonly events: readonly EventOf<Definition>[];
  readonly state: ChannelState;
  /** The last thing that is gone for good, and stands in no event; null: nothing is. */
  readonly gap: Gap | null;
  /** What ended the subscription; null: it goes on. */
  readonly error: TidingsError | null;
}

const KEEP_DEFAULT = 500;

export class TopicStore<Definition extends AnyDefinition> {
  readonly #hub: Hub;
  readonly #topic: string | Topic<Definition>;
  readonly #options: TopicOptions;
  readonly #listeners = new Set<() => void>();
  #subscription: Subscription<Definition> | null = null;
  /** Where the next subscription begins: a component that comes back misses nothing and sees nothing twice. */
  #from: SubscribeOptions["from"];
  #shown: TopicView<Definition> = { events: [], state: "connecting", gap: null, error: null };
  #next: TopicView<Definition> = this.#shown;

  constructor(hub: Hub, topic: string | Topic<Definition>, options: TopicOptions) {
    this.#hub = hub;
    this.#topic = topic;
    this.#options = options;
    this.#from = options.from;
  }

  readonly read = (): TopicView<Definition> => this.#shown;

  /** Follows the topic while anybody listens. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#subscription === null) this.#begin();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#end();
    };
  };

  #begin(): void {
    const { filter } = this.#options;
    const from = this.#from ?? "latest";
    const subscription = this.#hub.subscribe(this.#topic, { from, ...(filter !== undefined && { filter }) });
    this.#subscription = subscription;
    if (this.#next.error !== null) this.#show({ error: null });
    void this.#follow(subscription);
  }

  #end(): void {
    void this.#subscription?.return();
    this.#subscription = null;
  }

  async #follow(subscription: Subscription<Definition>): Promise<void> {
    try {
      for await (const item of subscription) {
        if (this.#subscription !== subscription) return;
        this.#take(item);
      }
    } catch (error) {
      if (this.#subscription === subscription) this.#show({ error: error as TidingsError });
    }
  }

  #take(item: Item<Definition>): void {
    if (item.kind === "gap") return this.#show({ gap: item.gap });
    if (item.cursor !== undefined) this.#from = `cursor:${item.cursor}`;
    if (item.kind === "state") return this.#show({ state: item.state });
    if (item.kind === "unfit") return;
    const events = [...this.#next.events, item.event];
    return this.#show({ events: events.slice(-(this.#options.keep ?? KEEP_DEFAULT)) });
  }

  /** A backlog of many events is one change. */
  #show(change: Partial<TopicView<Definition>>): void {
    const isPlanned = this.#next !== this.#shown;
    this.#next = { ...this.#next, ...change };
    if (!isPlanned) setTimeout(() => this.#tell());
  }

  #tell(): void {
    this.#shown = this.#next;
    for (const listener of this.#listeners) listener();
  }
}
