/** Who is here: entering a presence channel, changing what one shows, leaving, and watching the members. */
import type { Channel } from "./channel.ts";
import { TidingsError } from "./client-error.ts";
import type { MemberChange, MemberWatcher } from "./members.ts";
import type { Member } from "./messages.ts";

type Named = string | { readonly name: string };

interface Channels {
  open(topic: string): Channel;
  /** The one where this client is present. */
  find(topic: string): Channel | undefined;
  release(channel: Channel): void;
}

export class Presence {
  readonly #channels: Channels;

  constructor(channels: Channels) {
    this.#channels = channels;
  }

  /**
   * Resolves when the hub counts this connection among the member's. After a loss it enters again by itself. Rejects
   * with the hub's refusal, and the member is then not there.
   */
  async enter(topic: Named, data: unknown = null): Promise<void> {
    return this.#channels.open(nameOf(topic)).enter({ data });
  }

  /** Changes what the member shows. Rejects with `not_present`, or with the hub's refusal. */
  async update(topic: Named, data: unknown): Promise<void> {
    const channel = this.#channels.find(nameOf(topic));
    if (channel?.isPresent !== true) throw new TidingsError("not_present");
    return channel.update({ data });
  }

  /** Does nothing where it was not entered. */
  leave(topic: Named): void {
    const channel = this.#channels.find(nameOf(topic));
    if (channel?.isPresent !== true) return;
    channel.exit();
    this.#channels.release(channel);
  }

  /**
   * Tells who is there now and whenever that changes; `change` is null for a list that was told anew. `failed` is
   * called once, with what ended it. Answers how to stop. Throws `hub_closed`.
   */
  subscribe(
    topic: Named,
    changed: (members: readonly Member[], change: MemberChange) => void,
    failed: (error: TidingsError) => void = () => {},
  ): () => void {
    const channel = this.#channels.open(nameOf(topic));
    const watcher: MemberWatcher = { changed, failed };
    channel.watch(watcher);
    return () => {
      channel.members.unwatch(watcher);
      this.#channels.release(channel);
    };
  }
}

const nameOf = (topic: Named): string => (typeof topic === "string" ? topic : topic.name);
