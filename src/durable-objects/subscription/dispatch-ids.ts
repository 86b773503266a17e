/**
 * The numbers of dispatches. Never given twice: a message, a claim or a lease of the past names nothing new. Nor does a
 * message that was sent before the row of its dispatch was written, should that row be lost: its number was reserved by
 * a row that has committed, or that the output gate has it wait for.
 */
import type { MetaStore } from "../meta-store.ts";
import type { LedgerFacts } from "./ledger-facts.ts";

/** Numbers that one row reserves; those that an eviction leaves behind are never used. */
const RESERVED_AT_ONCE = 100;

export class DispatchIds {
  readonly #meta: MetaStore<LedgerFacts>;
  /** The last one that was given since this wake. */
  #last: number | null = null;

  constructor(meta: MetaStore<LedgerFacts>) {
    this.#meta = meta;
  }

  /** The row is read each time: a transaction that failed took it back. */
  next(): number {
    const reserved = this.#meta.read("dispatches") ?? 0;
    const id = (this.#last ?? reserved) + 1;
    if (id > reserved) this.#meta.write("dispatches", id + RESERVED_AT_ONCE - 1);
    this.#last = id;
    return id;
  }
}
