/** The members of channels as the hub's clients were told them, so that whoever comes late is told the same. */
import { changesFor, type MemberView, type PresenceNews } from "../../core/member-view.ts";
import type { Member, MemberChange } from "../../core/member.ts";
import type { SeatStore } from "./seat-store.ts";

/** Read from the rows when it is first looked at: most wakes of a hub are for something else. */
class View implements MemberView {
  version: number;
  readonly #load: () => readonly [string, string | null][];
  #members: Map<string, string | null> | null = null;

  constructor(version: number, load: () => readonly [string, string | null][]) {
    this.version = version;
    this.#load = load;
  }

  get members(): Map<string, string | null> {
    this.#members ??= new Map(this.#load());
    return this.#members;
  }
}

export class MemberViews {
  readonly #store: SeatStore;
  /** By topic. */
  readonly #views = new Map<string, View>();

  constructor(store: SeatStore) {
    this.#store = store;
    for (const { topic, version } of store.views()) this.#views.set(topic, new View(version, () => store.seen(topic)));
  }

  /** Null: nobody here looks on, or the room has not answered yet. */
  find(topic: string): MemberView | null {
    return this.#views.get(topic) ?? null;
  }

  /** What the channel's viewers must hear now; null: the view has a hole before that, and stays as it is. */
  moveOn(topic: string, news: PresenceNews): readonly MemberChange[] | null {
    const view = this.#views.get(topic) ?? null;
    const changes = changesFor(view, news);
    if (changes === null) return null;
    if (view === null) this.#begin(topic, news);
    else if (news.version > view.version) this.#apply(topic, view, changes, news.version);
    return changes;
  }

  drop(topic: string): void {
    if (this.#views.delete(topic)) this.#store.removeView(topic);
  }

  #begin(topic: string, news: PresenceNews): void {
    const members: readonly Member[] = news.kind === "snapshot" ? news.members : [];
    const entries = members.map(({ id, data }) => [id, data] as [string, string | null]);
    this.#views.set(topic, new View(news.version, () => entries));
    this.#store.putView(topic, news.version);
    for (const member of members) this.#store.putSeen(topic, member);
  }

  #apply(topic: string, view: View, changes: readonly MemberChange[], version: number): void {
    for (const { kind, member } of changes) {
      if (kind === "removed") {
        view.members.delete(member.id);
        this.#store.removeSeen(topic, member.id);
      } else {
        view.members.set(member.id, member.data);
        this.#store.putSeen(topic, member);
      }
    }
    view.version = version;
    this.#store.putView(topic, version);
  }
}
