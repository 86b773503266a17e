/** A publish comes for events that it has just appended. The ledger owns them first: what it gives stands in rows. */
import { placeKey } from "../../core/lease.ts";
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import type { SyncAsk, SyncClaim, SyncPlace } from "../rpc.ts";
import { claimDispatch } from "./claim.ts";
import type { Dispatch, OpenDelivery } from "./dispatch-store.ts";
import type { Ledger } from "./ledger.ts";
import { writeDispatch } from "./retire.ts";
import type { Source } from "./source-store.ts";

/** `examine` takes what the logs hold; the log's own push of these events may come before, meanwhile or after. */
export async function claimForPublisher(
  ledger: Ledger,
  examine: () => Promise<void>,
  ask: SyncAsk,
): Promise<SyncClaim> {
  if (announce(ledger, ask)) await examine();
  if (ledger.definition?.mode !== "sync") return { dispatch: 0, answer: { kind: "nothing" }, queued: [] };
  return ledger.storage.transactionSync(() => {
    const wanted = wantedOf(ledger, ask);
    const dispatch = ledger.isRunning ? gather(ledger, wanted, Date.now()) : 0;
    const answer = claimDispatch(ledger, dispatch, Date.now());
    const claimed = new Set(answer.kind === "claimed" ? answer.deliveries.map(placeKey) : []);
    const queued = [...wanted].filter(([key, { source, place }]) => !claimed.has(key) && isOwed(ledger, source, place));
    return { dispatch, answer, queued: queued.map(([, { place }]) => place) };
  });
}

/** Answers whether there is something that has not been examined. */
function announce(ledger: Ledger, { topic, epoch, places }: SyncAsk): boolean {
  if (!ledger.isRunning) return false;
  let isBehind = false;
  for (const [partition, group] of Map.groupBy(places, (place) => place.partition)) {
    const source = ledger.sources.find({ topic, partition, epoch });
    const last = Math.max(...group.map(({ offset }) => offset));
    if (source === null || source.state !== "live" || source.examined >= last) continue;
    ledger.announce(source.id, last);
    ledger.sources.markBehind(source.id);
    isBehind = true;
  }
  return isBehind;
}

interface Wanted {
  readonly source: Source;
  readonly place: SyncPlace;
}

/** By `placeKey`. */
function wantedOf(ledger: Ledger, { topic, epoch, places }: SyncAsk): ReadonlyMap<string, Wanted> {
  const sources = new Map<number, Source | null>();
  const wanted = new Map<string, Wanted>();
  for (const place of places) {
    const { partition, offset } = place;
    if (!sources.has(partition)) sources.set(partition, ledger.sources.find({ topic, partition, epoch }));
    const source = sources.get(partition)!;
    if (source !== null) wanted.set(placeKey({ source: source.id, offset }), { source, place });
  }
  return wanted;
}

/** The dispatch that holds all of them that nobody has claimed; 0: there are none. */
function gather(ledger: Ledger, wanted: ReadonlyMap<string, Wanted>, now: number): number {
  // One of a lane stays with those behind it: the order was asked for before the publish was to be waited for.
  const isWanted = (delivery: OpenDelivery): boolean =>
    delivery[3] === undefined && wanted.has(placeKey(placeOf(delivery)));
  const unclaimed = ledger.dispatches.toRing(Number.MAX_SAFE_INTEGER).filter(({ parked }) => !parked);
  const holding = unclaimed.filter(({ deliveries }) => deliveries.some(isWanted));
  const [only] = holding;
  if (only === undefined) return 0;
  if (holding.length === 1 && only.deliveries.every(isWanted)) return only.id;
  const id = ledger.dispatchIds.next();
  const taken = holding.flatMap(({ deliveries }) => deliveries.filter(isWanted));
  for (const dispatch of holding) leave(ledger, dispatch, isWanted);
  ledger.dispatches.insert(id, taken, false, Math.min(...holding.map(({ openedAt }) => openedAt)), now);
  return id;
}

function leave(ledger: Ledger, dispatch: Dispatch, isWanted: (delivery: OpenDelivery) => boolean): void {
  writeDispatch(ledger, { ...dispatch, deliveries: dispatch.deliveries.filter((delivery) => !isWanted(delivery)) });
}

const placeOf = ([source, offset]: OpenDelivery): DeliveryPlace => ({ source, offset });

/** What is neither examined nor settled; whether the former will match nobody knows yet. */
function isOwed(ledger: Ledger, { id, examined, state }: Source, { offset }: SyncPlace): boolean {
  if (state !== "live") return false;
  if (offset > examined) return true;
  if (ledger.retries.get({ source: id, offset }) !== null) return true;
  return ledger.dispatches.all().some(({ deliveries }) => deliveries.some((at) => at[0] === id && at[1] === offset));
}
