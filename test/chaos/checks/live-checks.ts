/** What live readers and members were shown. */
import { linesOf, type FrameLine, type History, type SessionLine } from "../history.ts";
import { logsByTopic } from "./log-checks.ts";

/** Events that a reader was not shown, and nobody said so; or that came to it again, or out of turn. */
export function brokenReadings(history: History): string[] {
  const logs = logsByTopic(history);
  const byReader = new Map<string, (SessionLine | FrameLine)[]>();
  for (const line of history) {
    if (line.op !== "session" && line.op !== "frame") continue;
    const known = byReader.get(line.reader);
    if (known === undefined) byReader.set(line.reader, [line]);
    else known.push(line);
  }
  return [...byReader].flatMap(([reader, lines]) => {
    const { complaints, last, topic } = follow(reader, lines);
    const ends = logs.get(topic)?.ends.values() ?? [];
    const missed = [...ends].filter(({ partition, head }) => (last.get(partition) ?? 0) < head);
    return [
      ...complaints,
      ...missed.map(({ partition, head }) => `${reader} was not shown ${topic} ${partition}/${head}`),
    ];
  });
}

interface Followed {
  readonly complaints: readonly string[];
  /** By partition. */
  readonly last: ReadonlyMap<number, number>;
  readonly topic: string;
}

function follow(reader: string, lines: readonly (SessionLine | FrameLine)[]): Followed {
  const last = new Map<number, number>();
  const complaints: string[] = [];
  let topic = "";
  for (const line of lines) {
    if (line.op === "session") {
      topic = line.topic;
      if (line.isFirst) last.clear();
      for (const { partition, firstHeld } of line.gaps) last.set(partition, firstHeld - 1);
      continue;
    }
    const { partition, offset } = line.event;
    const before = last.get(partition) ?? 0;
    if (offset !== before + 1) complaints.push(`${reader} was shown ${partition}/${offset} after ${before}`);
    last.set(partition, Math.max(before, offset));
  }
  return { complaints, last, topic };
}

/** Somebody is seen who is not there, or not seen who is; or a change came that no client may see. */
export function untruePresence(history: History): string[] {
  const told = linesOf(history, "members").flatMap(({ channel, by, seen, present }) => {
    const [was, is] = [seen.toSorted().join(), present.toSorted().join()];
    return was === is ? [] : [`${by} sees ${was} in ${channel}, where ${is} are`];
  });
  return [...told, ...offences(history, "presence")];
}

/** Requests that reached somebody whom nobody named. */
export const strayRequests = (history: History): string[] => offences(history, "stray");

/** Answers that no fault explains. */
export const wrongAnswers = (history: History): string[] => offences(history, "answer");

const offences = (history: History, kind: string): string[] =>
  linesOf(history, "offence")
    .filter((line) => line.kind === kind)
    .map(({ what }) => what);

/** What was still owed when the time for it was over. */
export const undrained = (history: History): string[] =>
  linesOf(history, "drain").flatMap(({ until, missing }) =>
    until === null ? missing.map((what) => `not in time: ${what}`) : [],
  );
