/** The ids that clients chose in one request: looked up together and recorded together, a statement each for all. */
import type { EventDraft } from "../../core/event.ts";
import { eventIdentity } from "../../core/keys.ts";
import type { IdentityStore, KnownEvent, NamedEvent } from "./identity-store.ts";

export class NamedEvents {
  readonly #store: IdentityStore;
  /** By the place of the draft in its request; null: the log makes its id. */
  readonly #identities: readonly (string | null)[];
  /** By identity. */
  readonly #known: Map<string, KnownEvent>;
  readonly #fresh: NamedEvent[] = [];

  constructor(store: IdentityStore, drafts: readonly EventDraft[]) {
    this.#store = store;
    this.#identities = drafts.map(({ source, id }) => (id === null ? null : eventIdentity(source, id)));
    this.#known = store.events(this.#identities.filter((identity) => identity !== null));
  }

  /** What the log holds under the draft's id, or has just taken: the same id may stand twice in one request. */
  find(at: number): KnownEvent | null {
    const identity = this.#identities[at] ?? null;
    return identity === null ? null : (this.#known.get(identity) ?? null);
  }

  /** The draft there, which has an id, was appended. */
  note(at: number, fingerprint: string, { offset, keyVersion }: Omit<KnownEvent, "fingerprint">): void {
    const identity = this.#identities[at]!;
    const event = { identity, offset, keyVersion, fingerprint };
    this.#known.set(identity, event);
    this.#fresh.push(event);
  }

  /** In the transaction that appends them. */
  record(appendedAt: number): void {
    this.#store.record(this.#fresh, appendedAt);
  }
}
