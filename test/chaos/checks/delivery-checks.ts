/** What subscriptions promise, held against what their targets saw. */
import { isBalanced } from "../../crash/delivery-checks.ts";
import {
  linesOf,
  placeOf,
  type AttemptLine,
  type BooksLine,
  type EventSeen,
  type FaultLine,
  type History,
  type SubscriptionLine,
} from "../history.ts";

/** Never taken, not dead, and not counted as taken by retention. */
export function undelivered(history: History): string[] {
  return bySubscription(history).flatMap(({ line, attempts, letters, expired, owed }) => {
    const through = new Set([...attempts.filter(({ taken }) => taken).map(({ event }) => event.id), ...letters]);
    const missed = owed.filter(({ id }) => !through.has(id));
    return missed.length <= expired ? [] : missed.map(({ id }) => `${id} never came to ${line.name}`);
  });
}

/** Taken again although the hub must have heard of it, or under another id. */
export function repeatedDeliveries(history: History): string[] {
  const excuses = linesOf(history, "fault").filter(({ excusesRepeats }) => excusesRepeats);
  const withinMs = reportedWithinMs(history);
  return bySubscription(history).flatMap(({ line, attempts }) =>
    [...Map.groupBy(attempts, ({ event }) => event.id)].flatMap(([id, made]) => [
      ...made
        .slice(0, -1)
        .filter((attempt) => attempt.taken && !isExcused(attempt, excuses, withinMs))
        .map(({ turn }) => `${id} came to ${line.name} again after turn ${turn}`),
      ...(line.isBatched || new Set(made.map(({ delivery }) => delivery)).size === 1
        ? []
        : [`${id} came to ${line.name} under several ids`]),
    ]),
  );
}

/** Taken again, whether that is excused or not. */
export function countRepeats(history: History): number {
  const taken = linesOf(history, "attempt").filter((attempt) => attempt.taken);
  return taken.length - new Set(taken.map(({ subscription, event }) => `${subscription} ${event.id}`)).size;
}

/**
 * A consumer reports within a quarter of a second, or after some deliveries, of which none takes long. How long the
 * report takes is the machine's business: as long as many publishes.
 */
const REPORTED_WITHIN_MS = 3_000;
const REPORTED_WITHIN_PUBLISHES = 20;

function reportedWithinMs(history: History): number {
  const waits = linesOf(history, "publish").flatMap(({ at, until, outcome }) =>
    outcome === "acknowledged" ? until - at : [],
  );
  const median = waits.toSorted((left, right) => left - right)[Math.floor(waits.length / 2)] ?? 0;
  return Math.max(REPORTED_WITHIN_MS, REPORTED_WITHIN_PUBLISHES * median);
}

const isExcused = ({ at, unheard }: AttemptLine, faults: readonly FaultLine[], withinMs: number): boolean =>
  unheard || faults.some((fault) => fault.at <= at + withinMs && at <= fault.until);

/** First acceptances of a lane that are not in the order of the log. */
export function reorderedDeliveries(history: History): string[] {
  return bySubscription(history).flatMap(({ line, attempts }) => {
    if (line.order === "none") return [];
    const laneOf = ({ partition, key }: EventSeen): string =>
      line.order === "key" ? `${partition}/${key}` : `${partition}`;
    const last = new Map<string, number>();
    const done = new Set<string>();
    return attempts
      .filter(({ taken, event }) => taken && !done.has(event.id) && done.add(event.id))
      .flatMap(({ event }) => {
        const lane = laneOf(event);
        const before = last.get(lane) ?? 0;
        last.set(lane, Math.max(before, event.offset));
        return event.offset > before ? [] : [`${event.id} came to ${line.name} late in lane ${lane}`];
      });
  });
}

/** Books that do not balance, whenever somebody asked; or that at rest say something else than the targets. */
export function wrongAccounts(history: History): string[] {
  return bySubscription(history).flatMap(({ line: { name }, attempts, letters, rest, owed, expired }) => {
    const unbalanced = linesOf(history, "books").filter(
      ({ subscription, books }) => subscription === name && !isBalanced(books),
    );
    const complaints = unbalanced.map(({ books }) => `the books of ${name} do not balance: ${JSON.stringify(books)}`);
    if (rest === null) return complaints;
    const taken = new Set(attempts.filter((attempt) => attempt.taken).map(({ event }) => event.id));
    const dead = new Set(letters);
    const right = {
      matched: owed.length,
      delivered: taken.size,
      dead: dead.size,
      owed: 0,
      skipped: 0,
      discarded: 0,
      lag: 0,
    };
    const wrong = Object.entries(right).filter(([count, value]) => rest[count as keyof typeof right] !== value);
    return [
      ...complaints,
      ...wrong.map(
        ([count, value]) => `${name} says ${count} ${rest[count as keyof typeof right]}, and it is ${value}`,
      ),
      ...letters.filter((id) => taken.has(id)).map((id) => `${id} was taken by ${name} and is a dead letter`),
      ...(letters.length === dead.size ? [] : [`${name} has a dead letter twice`]),
      ...(owed.length - taken.size - dead.size === expired ? [] : [`${name} says expired ${expired}`]),
    ];
  });
}

interface SubscriptionSeen {
  readonly line: SubscriptionLine;
  /** In the order in which they came. */
  readonly attempts: readonly AttemptLine[];
  readonly letters: readonly string[];
  /** What the hub says at rest; null: it never came to rest. */
  readonly rest: BooksLine["books"] | null;
  readonly expired: number;
  /** Every event that it was to take: those of the log, and those that retention has taken from it. */
  readonly owed: readonly Pick<EventSeen, "id">[];
}

function bySubscription(history: History): SubscriptionSeen[] {
  const attempts = Map.groupBy(linesOf(history, "attempt"), ({ subscription }) => subscription);
  const letters = new Map(linesOf(history, "letters").map((line) => [line.subscription, line.events]));
  const rests = new Map(
    linesOf(history, "books")
      .filter(({ isAtRest }) => isAtRest)
      .map((line) => [line.subscription, line.books]),
  );
  return linesOf(history, "subscription").map((line) => {
    const rest = rests.get(line.name) ?? null;
    return {
      line,
      attempts: (attempts.get(line.name) ?? []).toSorted((left, right) => left.turn - right.turn),
      letters: letters.get(line.name) ?? [],
      rest,
      expired: rest?.expired ?? 0,
      owed: eventsOf(history, line.topic).filter(({ content }) => line.takes === "all" || isEven(content)),
    };
  });
}

/** Of the log as it is at the end, and of what was acknowledged before retention took it. */
function eventsOf(history: History, topic: string): Pick<EventSeen, "id" | "content">[] {
  const held = linesOf(history, "log")
    .filter((line) => line.topic === topic)
    .flatMap(({ events }) => events);
  const places = new Set(held.map(placeOf));
  const gone = linesOf(history, "publish")
    .filter((line) => line.topic === topic)
    .flatMap(({ drafts, places: at }) => at.map((place, index) => ({ ...drafts[index]!, place: placeOf(place) })))
    .filter(({ place }) => !places.has(place) && places.add(place));
  return [...held, ...gone];
}

export const isEven = (content: string): boolean => content.includes('"parity":"even"');
