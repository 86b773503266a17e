/**
 * Moves deliveries on: due retries first, then what waits in lanes that are free again, then events that the logs hold
 * and nobody has examined. One run at a time; it ends when there is no room or nothing left, and every settle, push and
 * alarm begins it again.
 */
import type { Filter } from "../../core/filter.ts";
import { takeEvents, type TakenEvent } from "../../core/ledger-take.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import type { DispatchMessage } from "../../queues/messages.ts";
import { topicLog } from "../../stubs.ts";
import type { ReadPage } from "../rpc.ts";
import { EAGER_DISPATCHES_MAX, recordTaken } from "./accept.ts";
import { dispatchRetries, dispatchWaiting, openPlanned, planDispatches } from "./dispatch.ts";
import { takeGathered } from "./gather.ts";
import { laneRules, nextToExamine } from "./lanes.ts";
import { lifeOfEpoch, type Ledger } from "./ledger.ts";
import { chooseFrom, nextStretch, noteTaken } from "./replay-choice.ts";
import { noteReplayed } from "./replay-progress.ts";
import { logExpired, retireSource } from "./retire.ts";
import { FIRST_TURN, type Source } from "./source-store.ts";
import { holdForPublisher } from "./sync-hold.ts";

/** While many dispatches are open and the log holds little, it is left to gather for so long. */
const GATHER_MS = 20;

export class Pump {
  readonly #ledger: Ledger;
  readonly #env: Env;
  readonly #send: (messages: readonly DispatchMessage[]) => void;
  #running: Promise<void> | null = null;
  #isPulling = false;
  #again = false;

  constructor(ledger: Ledger, env: Env, send: (messages: readonly DispatchMessage[]) => void) {
    this.#ledger = ledger;
    this.#env = env;
    this.#send = send;
  }

  /** A log is being read. Where none is, what `run` did is over when it returns. */
  get isPulling(): boolean {
    return this.#isPulling;
  }

  /** Dispatches what is due before it returns. The promise resolves when the pulls are over, and never rejects. */
  run(): Promise<void> {
    this.#again = true;
    if (this.#running !== null) this.#dispatchDue();
    this.#running ??= this.#runUntilDone().finally(() => {
      this.#running = null;
      this.#isPulling = false;
    });
    return this.#running;
  }

  async #runUntilDone(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        this.#dispatchDue();
        await this.#pullAll();
      } catch (error) {
        logStage("subscription.pump_failed", { subscription: this.#ledger.subscriptionId, error: String(error) });
      }
    }
  }

  #dispatchDue(): void {
    const ledger = this.#ledger;
    if (!ledger.retries.mayWait && !ledger.waiting.mayBeFree) return;
    for (let room = ledger.room(); room > 0; room = ledger.room()) {
      const now = Date.now();
      const size = Math.min(room, ledger.dispatchSize);
      const due = ledger.retries.due(now, size);
      const lanes = due.length > 0 ? [] : ledger.waiting.freeLanes(size);
      // Not in a transaction, for what is sent behind one waits for a commit.
      if (due.length === 0 && lanes.length === 0) return;
      const message = ledger.storage.transactionSync(() =>
        due.length > 0 ? dispatchRetries(ledger, due, size, now) : dispatchWaiting(ledger, lanes, size, now),
      );
      this.#send([message]);
    }
  }

  /** Once round all that are behind; a log that cannot be reached waits for the alarm and stops no other. */
  async #pullAll(): Promise<void> {
    let source = nextToExamine(this.#ledger, FIRST_TURN, Date.now());
    while (source !== null && this.#ledger.room() > 0) {
      this.#isPulling = true;
      await this.#gather(source);
      try {
        if (await this.#pull(source)) this.#again = true;
      } catch (error) {
        logStage("subscription.pull_failed", {
          subscription: this.#ledger.subscriptionId,
          topic: source.topic,
          error: String(error),
        });
      }
      source = nextToExamine(this.#ledger, source, Date.now());
    }
  }

  async #gather(source: Source): Promise<void> {
    const waiting = (this.#ledger.heads.get(source.id) ?? Infinity) - source.examined;
    const many = this.#ledger.dispatches.openCounts().dispatches >= EAGER_DISPATCHES_MAX;
    if (!many || waiting >= this.#ledger.dispatchSize) return;
    await new Promise((resolve) => {
      setTimeout(resolve, GATHER_MS);
    });
  }

  /** Reads the next page of one source and takes what there is room for. Answers whether the source has more. */
  async #pull(source: Source): Promise<boolean> {
    const ledger = this.#ledger;
    const { filter } = ledger;
    const room = ledger.room();
    if (room === 0) return false;
    const { after, until } = nextStretch(ledger, source);
    const page = await topicLog(this.#env, ledger.app, source.topic, source.partition).read({
      life: lifeOfEpoch(source.epoch),
      until,
      keyStream: null,
      types: filter.types,
      keys: filter.keys,
      start: { kind: "after", epoch: source.epoch, offset: after },
      eventsMax: Math.min(room, LIMITS.PAGE_EVENTS_MAX),
      keepsExpired: true,
      bytesMax: LIMITS.PUSH_BYTES_MAX,
    });
    const taken = ledger.storage.transactionSync(() => takePage(ledger, source, filter, page, Date.now()));
    this.#send(taken.messages);
    return taken.behind;
  }
}

interface PageTaken {
  readonly messages: readonly DispatchMessage[];
  /** There is more, and it is worth coming again at once. */
  readonly behind: boolean;
}

function takePage(ledger: Ledger, before: Source, filter: Filter, page: Result<ReadPage>, now: number): PageTaken {
  const { events, behind } = examinePage(ledger, before, filter, page, ledger.room());
  const messages = openPlanned(ledger, planDispatches(ledger, before.id, events, ledger.dispatchSize), now);
  const isLevel = !behind && before.replay === 0; // No publish waits for what is replayed.
  return { messages: holdForPublisher(ledger, messages, isLevel, now), behind };
}

export interface Examined {
  /** At most `room` of them; the caller owes them from here on. */
  readonly events: readonly TakenEvent[];
  readonly behind: boolean;
}

/**
 * Looks at what follows on what was examined of a source; in the caller's transaction. `filter` chose the page: another
 * one that came in between reads it again.
 */
export function examinePage(
  ledger: Ledger,
  before: Source,
  filter: Filter,
  page: Result<ReadPage>,
  room: number,
): Examined {
  const source = ledger.sources.get(before.id);
  // While the page was on its way a push, a pause or a removal may have come first: then it is not ours to take.
  const isExamined = source?.state === "live" || source?.state === "replaying";
  if (source === null || !isExamined || !ledger.isRunning) return { events: [], behind: false };
  if (source.examined !== before.examined || ledger.filter !== filter) return { events: [], behind: source.behind };
  if (!page.ok) return endUnlessPassing(ledger, source, page.failure.code);
  const { gap, head } = page.value;
  if (gap !== null && gap.reason !== "trimmed") return endUnlessPassing(ledger, source, "topic_not_found");

  const first = gap === null ? source.examined : expireTrimmed(ledger, source, gap.firstHeld - 1);
  const chosen = chooseFrom(ledger, source, page.value);
  const looked = takeEvents(chosen.batch, first, room, chosen.filter, laneRules(ledger, source.id));
  const end = source.granted ?? Math.max(head, ledger.heads.get(source.id) ?? 0);
  const taken = takeGathered(ledger, source.id, looked, source.granted ?? head, Date.now());
  const behind = taken.through < end;
  recordTaken(ledger, source.id, taken, behind, Date.now());
  noteTaken(ledger, source, taken);
  noteReplayed(ledger, source, Date.now());
  return { events: taken.events, behind: behind && taken.through > before.examined };
}

/**
 * Retention was faster than this subscription: what it took counts as matching and expired, never as nothing. A replay
 * owes only what is still there.
 */
function expireTrimmed(ledger: Ledger, source: Source, through: number): number {
  if (source.granted !== null) return Math.max(source.examined, Math.min(through, source.granted));
  const events = through - source.examined;
  ledger.sources.advance(source.id, through, true, events);
  ledger.sources.count(source.id, { expired: events });
  logExpired(ledger, source, events, "retention");
  return through;
}

function endUnlessPassing(ledger: Ledger, source: Source, code: string): Examined {
  if (code === "topic_not_found") retireSource(ledger, source);
  return { events: [], behind: false };
}
