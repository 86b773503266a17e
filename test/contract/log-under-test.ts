/** A log as the contract suite sees it: its RPC surface, its alarm and its evictions. */
import type { Appended } from "../../src/core/appended.ts";
import type { EventDraft } from "../../src/core/event.ts";
import type { AppendRequest, ReadPage, ReadRequest, TopicLogRpc } from "../../src/durable-objects/rpc.ts";
import { appendedOf, makeAppend, makeRead, valueOf } from "../builders/log.ts";

export interface LogSubject {
  readonly rpc: Omit<TopicLogRpc, keyof Rpc.DurableObjectBranded>;
  /** Runs the alarm that stands; false when none does. */
  runAlarm(): Promise<boolean>;
  /** Takes it out of memory; what is durable stays. */
  evict(): Promise<void>;
}

/** A log with the few words that tests say most. */
export class LogUnderTest {
  readonly #subject: LogSubject;
  #lastFirstHeld = 0;

  constructor(subject: LogSubject) {
    this.#subject = subject;
  }

  get rpc(): LogSubject["rpc"] {
    return this.#subject.rpc;
  }

  /** Appends and answers the events, or throws the refusal. */
  async append(drafts: readonly EventDraft[], more: Partial<AppendRequest> = {}): Promise<readonly Appended[]> {
    return appendedOf(await this.rpc.append(makeAppend(drafts, more))).events;
  }

  async read(more: Partial<ReadRequest> = {}): Promise<ReadPage> {
    return valueOf(await this.rpc.read(makeRead(more)));
  }

  /** Runs alarms until the log has nothing due; answers how many ran. A log that never rests fails. */
  async settle(): Promise<number> {
    for (let runs = 0; runs < 50; runs += 1) {
      if (!(await this.#subject.runAlarm())) return runs;
      const { firstHeld } = await this.read({ eventsMax: 0 });
      if (runs > 0 && firstHeld === this.#lastFirstHeld) return runs;
      this.#lastFirstHeld = firstHeld;
    }
    throw new Error("the log's alarm never rests");
  }

  runAlarm(): Promise<boolean> {
    return this.#subject.runAlarm();
  }

  evict(): Promise<void> {
    return this.#subject.evict();
  }
}

/** A fresh log for each test. */
export type OpenLog = () => LogUnderTest;

/** When the suite's days begin. */
export const MORNING = Date.UTC(2026, 10, 20, 8);
