/**
 * Goal: whatever goes wrong around the hub, it keeps what it promised.
 * Method: every workload at once on a hub in processes of its own, each nemesis once, in an order that the seed draws;
 * the checkers hold the history against the promises. `npm run chaos -- --minutes N` is the same for longer.
 */
import { beforeAll, describe, expect, it } from "vitest";
import { canReadProcesses } from "../harness/proc.ts";
import { runChaos } from "./chaos-run.ts";
import { linesOf, type History } from "./history.ts";
import { LEAN_PACE } from "./paces.ts";
import { NEMESES } from "./schedule.ts";
import { CHECKERS, figuresOf, formatTable, judge, type CheckerName } from "./verdict.ts";

const SEED = Number(process.env["CHAOS_SEED"] ?? Math.trunc(Math.random() * 1_000_000));
/** For a machine that others use as well. */
const DRAIN_WITHIN_MS = 240_000;

describe.skipIf(!canReadProcesses)("every workload and every nemesis", () => {
  let history: History;

  beforeAll(async () => {
    console.log(`CHAOS_SEED=${SEED}`);
    const plan = { seed: SEED, pace: LEAN_PACE, drainWithinMs: DRAIN_WITHIN_MS, planted: null, historyPath: null };
    history = await runChaos({ ...plan, until: { acts: NEMESES.length }, say: () => undefined });
    console.log(formatTable(history, judge(history)));
  }, 600_000);

  it.each(Object.keys(CHECKERS) as CheckerName[])("[CHAOS-1] nothing is %s", (checker) => {
    expect(CHECKERS[checker](history)).toEqual([]);
  });

  it("[CHAOS-1] there was something to check, and everything to check it against", () => {
    const { deliveries, frames, kills } = figuresOf(history);
    const events = Math.max(...linesOf(history, "subscription").map(({ topic }) => eventsIn(topic)));
    expect(new Set(linesOf(history, "fault").map(({ nemesis }) => nemesis))).toEqual(new Set(NEMESES));
    expect(kills).toBe(2);
    expect(events).toBeGreaterThan(50);
    expect(deliveries).toBeGreaterThan(4 * events);
    expect(frames).toBeGreaterThan(2 * events);
    const books = linesOf(history, "books").filter(({ isAtRest }) => !isAtRest);
    expect(books.filter(({ books: { owed } }) => owed > 0).length).toBeGreaterThan(2);
    expect(linesOf(history, "members").length).toBeGreaterThan(1);
  });

  const eventsIn = (topic: string): number =>
    linesOf(history, "log").find((line) => line.topic === topic)!.events.length;
});
