/** What a log tells: new events go out at once when there is room, and otherwise the ledger owes itself a pull. */
import type { Filter } from "../../core/filter.ts";
import { takeEvents, type Taken } from "../../core/ledger-take.ts";
import type { DispatchMessage } from "../../queues/messages.ts";
import type { LogPush, PushAnswer } from "../rpc.ts";
import { noteJobs } from "./batch-deliveries.ts";
import { dispatchEvents } from "./dispatch.ts";
import { gatherPush } from "./gather.ts";
import { laneRules } from "./lanes.ts";
import { passOver } from "./passed-over.ts";
import { holdForPublisher } from "./sync-hold.ts";
import { retireSource } from "./retire.ts";
import type { Ledger } from "./ledger.ts";
import type { Source, SourceName } from "./source-store.ts";

/** Above so many open dispatches a push waits for the next pull, which takes more at once. */
export const EAGER_DISPATCHES_MAX = 4;

export interface Accepted {
  readonly answer: PushAnswer;
  /** To be sent now that the rows say so. */
  readonly messages: readonly DispatchMessage[];
  /** The source has more than was taken. */
  readonly isBehind: boolean;
}

/** One transaction. Idempotent by offset: what has been examined before is not looked at again. */
export function acceptPush(ledger: Ledger, push: LogPush, now: number): Accepted {
  if (!ledger.follows(push.topic)) return { answer: { kind: "gone" }, messages: [], isBehind: false };
  return ledger.storage.transactionSync(() => {
    const source = findOrBegin(ledger, push);
    const messages = source.state === "live" ? takePush(ledger, source, push, now) : [];
    const isBehind = ledger.sources.get(source.id)!.behind;
    // From here on the ledger answers for everything up to `through`: it has looked at it or marked itself behind.
    return { answer: { kind: "accepted", through: push.through }, messages, isBehind };
  });
}

/** The log may tell of a topic before the answer to the attach has come back. */
function findOrBegin(ledger: Ledger, push: LogPush): Source {
  const known = ledger.sources.find(push);
  if (known?.state === "frozen") {
    ledger.sources.setState(known.id, "live");
    return { ...known, state: "live" };
  }
  return known ?? beginSource(ledger, push, push.after, false);
}

/** Begins with one life of a partition; the lives before it have ended. */
export function beginSource(
  ledger: Ledger,
  { topic, partition, epoch }: SourceName,
  examined: number,
  behind: boolean,
): Source {
  const source = ledger.sources.insert({ topic, partition, epoch }, examined, behind);
  if (ledger.sources.latestEpoch(topic, partition) > epoch) {
    ledger.sources.setState(source.id, "retired"); // A late word of a life that has ended since.
    return { ...source, state: "retired" };
  }
  for (const past of ledger.sources.unretired(topic, partition, epoch - 1)) retireSource(ledger, past);
  passOver(ledger, source, [{ first: 1, last: examined }]);
  return source;
}

/** How far it was examined, what matched, and what waits behind others of its lane. */
export function recordTaken(ledger: Ledger, source: number, taken: Taken, behind: boolean, now: number): void {
  ledger.sources.advance(source, taken.through, behind, taken.events.length + taken.waiting.length);
  noteJobs(ledger, source, taken.events);
  noteJobs(ledger, source, taken.waiting);
  for (const { offset, lane } of taken.waiting) ledger.waiting.insert({ source, lane: lane!, offset, owedSince: now });
}

function takePush(ledger: Ledger, source: Source, push: LogPush, now: number): DispatchMessage[] {
  ledger.announce(source.id, Math.max(push.through, push.head));
  if (push.through <= source.examined && push.head <= source.examined) return [];
  const hasHole = push.after > source.examined;
  const isBusy = ledger.dispatches.openCounts().dispatches >= EAGER_DISPATCHES_MAX;
  const isChosenHere = isSameChoice(push, ledger.filter);
  const { batch } = ledger.definition!;
  if (batch !== undefined) {
    gatherPush(ledger, source, isChosenHere ? push : null, batch, now);
    return [];
  }
  const room = hasHole || !isChosenHere || source.behind || isBusy ? 0 : ledger.room();
  if (room === 0) {
    if (!source.behind) ledger.sources.markBehind(source.id);
    return [];
  }
  const taken = takeEvents(push, source.examined, room, ledger.filter, laneRules(ledger, source.id));
  recordTaken(ledger, source.id, taken, taken.through < push.head, now);
  const messages = dispatchEvents(ledger, source.id, taken.events, ledger.dispatchSize, now);
  return holdForPublisher(ledger, messages, taken.through >= push.head, now);
}

/** A changed filter reaches the logs one by one: what was left out by another is no word about this one. */
const isSameChoice = (push: Pick<LogPush, "types" | "keys">, { types, keys }: Filter): boolean =>
  JSON.stringify([push.types ?? null, push.keys ?? null]) === JSON.stringify([types, keys]);
