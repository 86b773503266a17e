/**
 * Notices who publishes what and who reads where, for the catalog: in the isolate's memory, and in D1 beside the answer
 * when it is new to the isolate. What is too much at once is let go, and noticed again when it comes again.
 */
import type { EventDraft } from "../core/event.ts";
import { LIMITS } from "../core/limits.ts";
import { isSchemaType } from "../core/names.ts";
import { ROOT_TOKEN_KEY, type Principal } from "../core/principal.ts";
import { readerName, type ReadingWay, type Sighting } from "../core/sighting.ts";
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import { SightingsStore } from "../store/sightings-store.ts";
import type { Caller } from "./caller.ts";
import { IsolateCache } from "./isolate-cache.ts";

const known = new IsolateCache<true>();
const MINUTE_MS = 60_000;
let minute = { begunAt: -Infinity, writes: 0 };

export function noteProducers(env: Env, caller: Caller, topic: string, drafts: readonly EventDraft[]): void {
  const found: Sighting[] = [];
  let last: EventDraft | null = null;
  for (const draft of drafts) {
    if (last?.type === draft.type && last.source === draft.source) continue; // Most batches are of one kind.
    last = draft;
    if (isSchemaType(draft.type)) found.push({ role: "producer", type: draft.type, topic, who: draft.source });
  }
  note(env, caller, found);
}

export function noteReader(env: Env, caller: Caller, topic: string, by: ReadingWay): void {
  note(env, caller, [{ role: "reader", type: "", topic, who: readerName(keyOf(caller.principal), by) }]);
}

/** People are not counted here: a user reads by the key that signed its token. */
const keyOf = (principal: Principal): string => (principal.kind === "root" ? ROOT_TOKEN_KEY : principal.key);

function note(env: Env, { principal, beside }: Caller, found: readonly Sighting[]): void {
  if (beside === undefined) return;
  const now = Date.now();
  const { app } = principal;
  const unseen = found.filter((sighting) => known.get(keyOfSighting(app, sighting), now) === undefined);
  if (unseen.length === 0 || !mayWrite(now)) return;
  for (const sighting of unseen) known.set(keyOfSighting(app, sighting), true, now + LIMITS.SIGHTING_RENEW_MS);
  const written = new SightingsStore(env.DB).note(app, unseen, now);
  beside(written.catch((error: unknown) => logStage("sighting.note_failed", { app, error: String(error) })));
}

/** Neither types nor names hold a line break. */
const keyOfSighting = (app: string, { role, type, topic, who }: Sighting): string =>
  `${app}\n${role}\n${type}\n${topic}\n${who}`;

function mayWrite(now: number): boolean {
  if (now - minute.begunAt >= MINUTE_MS) minute = { begunAt: now, writes: 0 };
  minute.writes += 1;
  return minute.writes <= LIMITS.SIGHTING_WRITES_PER_MINUTE;
}
