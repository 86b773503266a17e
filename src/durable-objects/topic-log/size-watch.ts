/**
 * Looks how much the log's object holds whenever it was at work anyway, and tells operators when it comes near what it
 * may hold, and when it has room again.
 */
import { judgeFill } from "../../core/log-fill.ts";
import type { LogState } from "./log-state.ts";
import type { ToldOperations } from "./told-operations.ts";

export class SizeWatch {
  readonly #log: LogState;
  readonly #operations: ToldOperations;
  readonly #threshold: number;
  #isFilling: boolean;

  /** `threshold`: bytes. */
  constructor(log: LogState, operations: ToldOperations, threshold: number) {
    this.#log = log;
    this.#operations = operations;
    this.#threshold = threshold;
    this.#isFilling = log.meta.read("filling") ?? false;
  }

  /** Answers whether there is something new to tell. */
  look(bytes: number): boolean {
    const { partition, meta, storage } = this.#log;
    const news = judgeFill(this.#isFilling, partition, bytes, this.#threshold);
    if (news === null) return false;
    const isFilling = news.kind === "topic.filling";
    storage.transactionSync(() => {
      if (isFilling) meta.write("filling", true);
      else meta.remove("filling");
      this.#operations.note(news);
    });
    this.#isFilling = isFilling;
    return true;
  }

  /** Nobody is told that a topic which is gone has room. In the transaction that ends the life. */
  endLife(): void {
    this.#log.meta.remove("filling");
    this.#isFilling = false;
  }
}
