/** What publishers were promised, held against the log and against everything that was seen of it. */
import { linesOf, placeOf, type EventSeen, type History, type LogLine, type PublishLine } from "../history.ts";

/** Acknowledged and not there. What retention has taken by its own rule is not missed. */
export function lostEvents(history: History): string[] {
  const logs = logsByTopic(history);
  return acknowledged(history).flatMap(({ topic, id, partition, offset }) => {
    const log = logs.get(topic);
    if (log === undefined) return [];
    const { firstHeld } = log.ends.get(partition) ?? { firstHeld: 1 };
    if (offset < firstHeld || log.byPlace.get(placeOf({ partition, offset }))?.id === id) return [];
    return [`${id} was acknowledged at ${topic} ${partition}/${offset} and is not there`];
  });
}

/** There, or seen somewhere, and never published so; or published and refused. */
export function phantomEvents(history: History): string[] {
  const asked = new Map<string, string>();
  const refused = new Set<string>();
  for (const { topic, drafts, outcome } of linesOf(history, "publish")) {
    for (const { id, content } of drafts) {
      if (outcome === "refused") refused.add(`${topic} ${id}`);
      else asked.set(`${topic} ${id}`, content);
    }
  }
  const isPhantom = ({ topic, id, content }: EventSeen): boolean => asked.get(`${topic} ${id}`) !== content;
  const logs = logsByTopic(history);
  const isElsewhere = (event: EventSeen): boolean => {
    const log = logs.get(event.topic);
    if (log === undefined || event.offset < (log.ends.get(event.partition)?.firstHeld ?? 1)) return false;
    return log.byPlace.get(placeOf(event))?.content !== event.content;
  };
  return [
    ...everySighting(history)
      .filter(({ event }) => isPhantom(event))
      .map(({ where, event }) => `${where} showed ${nameOf(event)}, which nobody published so`),
    ...everySighting(history)
      .filter(({ where, event }) => where !== "the log" && !isPhantom(event) && isElsewhere(event))
      .map(({ where, event }) => `${where} showed ${nameOf(event)}, which is not in the log`),
    ...[...refused]
      .filter((name) => asked.get(name) === undefined && isInSomeLog(history, name))
      .map((name) => `${name} was refused and is there`),
  ];
}

/** A place with two events, an event with two places, a hole. */
export function doubledOffsets(history: History): string[] {
  const byPlace = new Map<string, string>();
  const byId = new Map<string, string>();
  const complaints = new Set<string>();
  const note = ({ topic, id, partition, offset }: Omit<EventSeen, "content" | "key">, where: string): void => {
    const [place, name] = [`${topic} ${partition}/${offset}`, `${topic} ${id}`];
    const [other, elsewhere] = [byPlace.get(place), byId.get(name)];
    if (other !== undefined && other !== id) complaints.add(`${place} is ${other} and, says ${where}, ${id}`);
    if (elsewhere !== undefined && elsewhere !== place)
      complaints.add(`${id} is at ${elsewhere} and, says ${where}, at ${place}`);
    byPlace.set(place, other ?? id);
    byId.set(name, elsewhere ?? place);
  };
  for (const event of acknowledged(history)) note(event, "an answer");
  for (const { where, event } of everySighting(history)) note(event, where);
  return [...complaints, ...linesOf(history, "log").flatMap(holesOf)];
}

/** Publishers wait for each answer, so their own order is known; so is that of requests of which one had ended. */
export function reorderedEvents(history: History): string[] {
  const complaints: string[] = [];
  const began = new Map<string, number>();
  const ended = new Map<string, number>();
  for (const { topic, drafts, at, until, outcome } of linesOf(history, "publish")) {
    for (const { id } of drafts) {
      const name = `${topic} ${id}`;
      began.set(name, Math.min(began.get(name) ?? Infinity, at));
      if (outcome === "acknowledged") ended.set(name, Math.min(ended.get(name) ?? Infinity, until));
    }
  }
  for (const { topic, events } of linesOf(history, "log")) {
    for (const partition of Map.groupBy(events, (event) => event.partition).values()) {
      let earliestEnd = Infinity;
      for (const { id, partition: number, offset } of partition.toSorted((left, right) => right.offset - left.offset)) {
        const name = `${topic} ${id}`;
        // Something behind it had been acknowledged before it was published at all.
        if (earliestEnd < (began.get(name) ?? -Infinity))
          complaints.push(`${name} at ${number}/${offset} came too early`);
        earliestEnd = Math.min(earliestEnd, ended.get(name) ?? Infinity);
      }
    }
  }
  return complaints;
}

type Acknowledged = Omit<EventSeen, "content" | "key">;

const acknowledged = (history: History): Acknowledged[] =>
  linesOf(history, "publish").flatMap(({ topic, drafts, places }: PublishLine) =>
    places.map((place, index) => ({ topic, id: drafts[index]!.id, ...place })),
  );

function everySighting(history: History): { readonly where: string; readonly event: EventSeen }[] {
  return history.flatMap((line) => {
    switch (line.op) {
      case "attempt":
        return [{ where: line.subscription, event: line.event }];
      case "frame":
        return [{ where: line.reader, event: line.event }];
      case "log":
        return line.events.map((event) => ({ where: "the log", event }));
      default:
        return [];
    }
  });
}

interface LogSeen {
  readonly byPlace: ReadonlyMap<string, EventSeen>;
  readonly ends: ReadonlyMap<number, LogLine["ends"][number]>;
}

export const logsByTopic = (history: History): ReadonlyMap<string, LogSeen> =>
  new Map(
    linesOf(history, "log").map(({ topic, events, ends }) => [
      topic,
      {
        byPlace: new Map(events.map((event) => [placeOf(event), event])),
        ends: new Map(ends.map((end) => [end.partition, end])),
      },
    ]),
  );

function holesOf({ topic, events, ends }: LogLine): string[] {
  const held = new Set(events.map(placeOf));
  return ends.flatMap(({ partition, firstHeld, head }) =>
    Array.from({ length: Math.max(0, head - firstHeld + 1) }, (_, index) => firstHeld + index)
      .filter((offset) => !held.has(placeOf({ partition, offset })))
      .map((offset) => `${topic} ${partition}/${offset} is a hole`),
  );
}

const isInSomeLog = (history: History, name: string): boolean =>
  linesOf(history, "log").some(({ topic, events }) => events.some(({ id }) => `${topic} ${id}` === name));

const nameOf = ({ topic, partition, offset, id }: EventSeen): string => `${topic} ${partition}/${offset} (${id})`;
