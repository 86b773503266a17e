/** What a log tells: new events go out at once when there is room, and otherwise the ledger owes itself a pull. */
import { unreachable } from "../../core/assert.ts";
import type { Filter } from "../../core/filter.ts";
import { takeEvents, type Taken } from "../../core/ledger-take.ts";
import type { BatchPolicy } from "../../core/subscription.ts";
import type { DispatchMessage } from "../../queues/messages.ts";
import type { LogPush, PushAnswer } from "../rpc.ts";
import { noteJobs } from "./batch-deliveries.ts";
import { openPlanned, planDispatches, type PlannedDispatch } from "./dispatch.ts";
import { gatherPush } from "./gather.ts";
import { laneRules } from "./lanes.ts";
import { passOver } from "./passed-over.ts";
import { holdForPublisher, isHeldForPublisher } from "./sync-hold.ts";
import { retireSource } from "./retire.ts";
import type { Ledger } from "./ledger.ts";
import type { Source, SourceName } from "./source-store.ts";

/** Above so many open dispatches a push waits for the next pull, which takes more at once. */
export const EAGER_DISPATCHES_MAX = 4;

export interface Accepted {
  readonly answer: PushAnswer;
  /** The source has more than was taken. */
  readonly isBehind: boolean;
}

type Send = (messages: readonly DispatchMessage[]) => void;

/** Idempotent by offset: what has been examined before is not looked at again. */
export function acceptPush(ledger: Ledger, push: LogPush, now: number, send: Send): Accepted {
  if (!ledger.follows(push.topic)) return { answer: { kind: "gone" }, isBehind: false };
  const known = ledger.sources.find(push);
  if (known?.state === "live") return takePush(ledger, known, push, now, send);
  return ledger.storage.transactionSync(() => takePush(ledger, findOrBegin(ledger, known, push), push, now, send));
}

/**
 * One transaction, and before its first row the messages: so the queue brings them while the rows are committed, and
 * the output gate does not keep them back. A claim that comes sooner has its answer after that commit. Should it fail,
 * or the object be lost before it, the messages name nothing, now or later, and the log tells again.
 */
function takePush(ledger: Ledger, source: Source, push: LogPush, now: number, send: Send): Accepted {
  const plan = planPush(ledger, source, push);
  if (plan.kind === "take" && !isHeldForPublisher(ledger, plan.isLevel)) {
    send(plan.dispatches.map(({ message }) => message));
  }
  return ledger.storage.transactionSync(() => {
    carryOut(ledger, source, plan, now);
    const isBehind = plan.kind === "take" ? !plan.isLevel : ledger.sources.get(source.id)!.behind;
    // From here on the ledger answers for everything up to `through`: it has looked at it or marked itself behind.
    return { answer: { kind: "accepted", through: push.through }, isBehind };
  });
}

/** The log may tell of a topic before the answer to the attach has come back. */
function findOrBegin(ledger: Ledger, known: Source | null, push: LogPush): Source {
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

type PushPlan =
  | {
      readonly kind: "take";
      readonly taken: Taken;
      readonly dispatches: readonly PlannedDispatch[];
      /** Nothing of the log is left. */
      readonly isLevel: boolean;
    }
  /** Mode `batch`; null: what was pushed was chosen by another filter. */
  | { readonly kind: "gather"; readonly push: LogPush | null; readonly policy: BatchPolicy }
  /** The pump comes for it. */
  | { readonly kind: "later" }
  | { readonly kind: "nothing" };

/** Reads rows, and writes none but what the numbers of dispatches cost. */
function planPush(ledger: Ledger, source: Source, push: LogPush): PushPlan {
  if (source.state !== "live") return { kind: "nothing" };
  ledger.announce(source.id, Math.max(push.through, push.head));
  if (push.through <= source.examined && push.head <= source.examined) return { kind: "nothing" };
  const isChosenHere = isSameChoice(push, ledger.filter);
  const { batch: policy } = ledger.definition!;
  if (policy !== undefined) return { kind: "gather", push: isChosenHere ? push : null, policy };
  const hasHole = push.after > source.examined;
  const open = ledger.dispatches.openCounts();
  const isBusy = open.dispatches >= EAGER_DISPATCHES_MAX;
  const room = hasHole || !isChosenHere || source.behind || isBusy ? 0 : ledger.room(Date.now(), open);
  if (room === 0) return { kind: "later" };
  const taken = takeEvents(push, source.examined, room, ledger.filter, laneRules(ledger, source.id));
  const dispatches = planDispatches(ledger, source.id, taken.events, ledger.dispatchSize);
  return { kind: "take", taken, dispatches, isLevel: taken.through >= push.head };
}

function carryOut(ledger: Ledger, source: Source, plan: PushPlan, now: number): void {
  switch (plan.kind) {
    case "take":
      recordTaken(ledger, source.id, plan.taken, !plan.isLevel, now);
      holdForPublisher(ledger, openPlanned(ledger, plan.dispatches, now), plan.isLevel, now);
      return;
    case "gather":
      return gatherPush(ledger, source, plan.push, plan.policy, now);
    case "later":
      return ledger.sources.markBehind(source.id);
    case "nothing":
      return;
    default:
      return unreachable(plan);
  }
}

/** A changed filter reaches the logs one by one: what was left out by another is no word about this one. */
const isSameChoice = (push: Pick<LogPush, "types" | "keys">, { types, keys }: Filter): boolean =>
  JSON.stringify([push.types ?? null, push.keys ?? null]) === JSON.stringify([types, keys]);
