/** What an isolate remembers for a while: bounded in time and in number, and gone with the isolate. */
import { LIMITS } from "../core/limits.ts";

export class IsolateCache<Value> {
  readonly #entries = new Map<string, { readonly value: Value; readonly until: number }>();
  readonly #entriesMax: number;

  /** Fewer where a value is large. */
  constructor(entriesMax: number = LIMITS.CONFIG_CACHE_ENTRIES_MAX) {
    this.#entriesMax = entriesMax;
  }

  /** Undefined when it is not there, or no longer. */
  get(key: string, now: number): Value | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && now < entry.until ? entry.value : undefined;
  }

  /** When it is full, what came in first goes first. */
  set(key: string, value: Value, until: number): void {
    this.#entries.delete(key);
    if (this.#entries.size >= this.#entriesMax) this.#entries.delete(this.#entries.keys().next().value!);
    this.#entries.set(key, { value, until });
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  deleteWhere(test: (value: Value) => boolean): void {
    for (const [key, { value }] of this.#entries) if (test(value)) this.#entries.delete(key);
  }
}
