/** Where positions lie in the logs that a subscription follows. */
import { LIMITS } from "../../core/limits.ts";
import type { Position } from "../../core/position.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import { topicLog } from "../../stubs.ts";
import type { ReadStart } from "../rpc.ts";
import { lifeOfEpoch, type Ledger } from "./ledger.ts";
import type { Source } from "./source-store.ts";

/** Logs asked at once. */
const LOGS_AT_ONCE = 32;

export interface LogPlace {
  /** The last offset before the position. */
  readonly after: number;
  readonly head: number;
}

/** Null: all that is followed. */
export interface WhichLogs {
  readonly topic: string | null;
  readonly partition: number | null;
}

/**
 * Failures: `subscription_not_found`, `topic_not_found`, `parameter_invalid`, `partition_required`, `cursor_invalid`.
 */
export function chooseSources(
  ledger: Ledger,
  positions: readonly Position[],
  { topic, partition }: WhichLogs,
): Result<readonly Source[]> {
  if (ledger.definition === null) return fail("subscription_not_found");
  const named = ledger.sources
    .live()
    .filter((source) => topic === null || source.topic === topic)
    .filter((source) => partition === null || source.partition === partition);
  if (named.length === 0 && topic !== null) return fail("topic_not_found");
  const { SEEK_PARTITIONS_MAX: limit } = LIMITS;
  if (named.length > limit)
    return fail("parameter_invalid", "One request moves fewer partitions: name a topic.", {
      limit,
      actual: named.length,
    });
  if (positions.some(({ kind }) => kind === "offset") && named.length !== 1) return fail("partition_required");
  // A cursor is of one life of one topic; what else the subscription follows stays where it is.
  const epochs = positions.flatMap((position) => (position.kind === "cursor" ? position.cursor.epoch : []));
  if (epochs.length === 0) return ok(named);
  const ofCursor = named.filter((source) => epochs.every((epoch) => epoch === source.epoch));
  return ofCursor.length === 0 ? fail("cursor_invalid") : ok(ofCursor);
}

/** The places of one position in each of the sources, in their order; the first failure if there was one. */
export async function findPlaces(
  ledger: Ledger,
  env: Env,
  sources: readonly Source[],
  position: Position,
): Promise<Result<readonly LogPlace[]>> {
  const places: LogPlace[] = [];
  for (let from = 0; from < sources.length; from += LOGS_AT_ONCE) {
    const some = sources.slice(from, from + LOGS_AT_ONCE);
    const found = await Promise.all(some.map((source) => findPlace(ledger, env, source, position)));
    for (const place of found) {
      if (!place.ok) return place;
      places.push(place.value);
    }
  }
  return ok(places);
}

/** The log says what is there of it: behind its first event is its first, ahead of its head is its head. */
async function findPlace(ledger: Ledger, env: Env, source: Source, position: Position): Promise<Result<LogPlace>> {
  const page = await topicLog(env, ledger.app, source.topic, source.partition).read({
    life: lifeOfEpoch(source.epoch),
    start: startIn(source, position),
    until: null,
    keyStream: null,
    types: null,
    keys: null,
    eventsMax: 0,
    bytesMax: 0,
  });
  return page.ok ? ok({ after: page.value.after, head: page.value.head }) : page;
}

function startIn({ epoch, partition }: Source, position: Position): ReadStart {
  switch (position.kind) {
    case "earliest":
    case "latest":
      return { kind: position.kind };
    case "time":
      return position;
    case "offset":
      return { kind: "after", epoch, offset: position.offset - 1 };
    case "cursor":
      return { kind: "after", epoch, offset: position.cursor.offsets.get(partition) ?? 0 };
  }
}
