/** Who is present in one channel, as the hub tells it: a snapshot, then one change after the other. */
import type { TidingsError } from "./client-error.ts";
import type { Member, TopicMessage } from "./messages.ts";

/** Null: everybody was told anew, at the beginning and after a loss. */
export type MemberChange = { readonly kind: "added" | "updated" | "removed"; readonly member: Member } | null;

export interface MemberWatcher {
  changed(members: readonly Member[], change: MemberChange): void;
  failed(error: TidingsError): void;
}

export class Members {
  readonly #byId = new Map<string, Member>();
  readonly #watchers = new Set<MemberWatcher>();
  #version = -1;

  get isWatched(): boolean {
    return this.#watchers.size > 0;
  }

  /** Who is there already is told at once, when that is known. */
  watch(watcher: MemberWatcher): void {
    this.#watchers.add(watcher);
    if (this.#version >= 0) watcher.changed([...this.#byId.values()], null);
  }

  unwatch(watcher: MemberWatcher): void {
    this.#watchers.delete(watcher);
  }

  receive(message: TopicMessage): void {
    if (message.op === "subscribed" && message.members !== undefined) {
      this.#byId.clear();
      for (const member of message.members) this.#byId.set(member.id, member);
      return this.#tell(message.version ?? 0, null);
    }
    // The snapshot may know already what is told behind it.
    if (!("member" in message) || message.version <= this.#version) return;
    const { member, op, version } = message;
    if (op === "member_removed") this.#byId.delete(member.id);
    else this.#byId.set(member.id, member);
    const kind = op === "member_added" ? "added" : op === "member_updated" ? "updated" : "removed";
    return this.#tell(version, { kind, member });
  }

  fail(error: TidingsError): void {
    for (const { failed } of this.#watchers) failed(error);
    this.#watchers.clear();
  }

  #tell(version: number, change: MemberChange): void {
    this.#version = version;
    const members = [...this.#byId.values()];
    for (const { changed } of this.#watchers) changed(members, change);
  }
}
