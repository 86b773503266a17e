/** The checkers, by the name of what each looks for, and the table that a run ends with. Pure. */
import { brokenReadings, strayRequests, undrained, untruePresence, wrongAnswers } from "./checks/live-checks.ts";
import { doubledOffsets, lostEvents, phantomEvents, reorderedEvents } from "./checks/log-checks.ts";
import {
  countRepeats,
  reorderedDeliveries,
  repeatedDeliveries,
  undelivered,
  wrongAccounts,
} from "./checks/delivery-checks.ts";
import { linesOf, type History } from "./history.ts";

export const CHECKERS = {
  lost: lostEvents,
  phantom: phantomEvents,
  "doubled offsets": doubledOffsets,
  "reordered in the log": reorderedEvents,
  undelivered,
  "doubled deliveries": repeatedDeliveries,
  "reordered deliveries": reorderedDeliveries,
  "wrong accounts": wrongAccounts,
  "broken readings": brokenReadings,
  "untrue presence": untruePresence,
  "stray requests": strayRequests,
  "wrong answers": wrongAnswers,
  undrained,
} as const;

export type CheckerName = keyof typeof CHECKERS;

/** By checker; those that have nothing to say are left out. */
export type Verdict = ReadonlyMap<CheckerName, readonly string[]>;

export const judge = (history: History): Verdict =>
  new Map(
    Object.entries(CHECKERS)
      .map(([name, check]) => [name as CheckerName, check(history)] as const)
      .filter(([, complaints]) => complaints.length > 0),
  );

export interface Figures {
  readonly acknowledged: number;
  readonly deliveries: number;
  readonly frames: number;
  readonly kills: number;
  readonly faults: number;
  /** From the last fault's end until nothing was owed; null: it was not in time. */
  readonly drainedMs: number | null;
  /** From the plug to the next acknowledgement, the 95th percentile; null: no kill. */
  readonly recoveryP95Ms: number | null;
}

export function figuresOf(history: History): Figures {
  const publishes = linesOf(history, "publish").filter(({ outcome }) => outcome === "acknowledged");
  const faults = linesOf(history, "fault");
  const kills = faults.filter(({ isKill }) => isKill);
  const recoveries = kills
    .map(({ at, until }) => {
      const answers = publishes.filter((line) => line.at >= at && line.until >= until).map((line) => line.until);
      return answers.length === 0 ? Infinity : Math.min(...answers) - at;
    })
    .toSorted((left, right) => left - right);
  const drain = linesOf(history, "drain").at(-1);
  return {
    acknowledged: new Set(publishes.flatMap(({ topic, drafts }) => drafts.map(({ id }) => `${topic} ${id}`))).size,
    deliveries: linesOf(history, "attempt").filter(({ taken }) => taken).length,
    frames: linesOf(history, "frame").length,
    kills: kills.length,
    faults: faults.length,
    drainedMs: drain === undefined || drain.until === null ? null : drain.until - drain.at,
    recoveryP95Ms: recoveries.length === 0 ? null : recoveries[Math.ceil(recoveries.length * 0.95) - 1]!,
  };
}

/** Name and value, a line each. */
export function formatTable(history: History, verdict: Verdict): string {
  const figures = figuresOf(history);
  const count = (...names: readonly CheckerName[]): number =>
    names.reduce((sum, name) => sum + (verdict.get(name)?.length ?? 0), 0);
  const seconds = (ms: number | null): string => (ms === null ? "-" : `${(ms / 1_000).toFixed(1)} s`);
  const rows: readonly (readonly [string, string | number])[] = [
    ["acknowledged", figures.acknowledged],
    ["deliveries checked", figures.deliveries],
    ["frames checked", figures.frames],
    ["faults", figures.faults],
    ["kills", figures.kills],
    ["lost", count("lost")],
    ["phantom", count("phantom")],
    ["doubled", count("doubled offsets", "doubled deliveries")],
    ["reordered", count("reordered in the log", "reordered deliveries", "broken readings")],
    ["repeats that a fault excuses", Math.max(0, countRepeats(history) - count("doubled deliveries"))],
    ["undelivered", count("undelivered", "undrained")],
    ["wrong accounts", count("wrong accounts")],
    ["untrue presence", count("untrue presence")],
    ["wrong answers", count("wrong answers", "stray requests")],
    ["drained within", seconds(figures.drainedMs)],
    ["recovery p95", seconds(figures.recoveryP95Ms)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join("\n");
}
