/** A seed is a run: the same faults in the same order, and every kind of them. */
import { expect, it } from "vitest";
import { seededRandom } from "../harness/random.ts";
import { LEAN_PACE } from "./paces.ts";
import { NEMESES, schedule, type Act } from "./schedule.ts";

function first(seed: number, count: number): readonly Act[] {
  const acts = schedule(seededRandom(seed), LEAN_PACE);
  return Array.from({ length: count }, () => acts.next().value as Act);
}

it("[CHAOS-1] the schedule hangs on the seed alone", () => {
  expect(first(7, 40)).toEqual(first(7, 40));
  expect(first(7, 40)).not.toEqual(first(8, 40));
});

it("[CHAOS-1] every nemesis comes before any comes again", () => {
  const acts = first(3, NEMESES.length * 2).map(({ nemesis }) => nemesis);
  for (const round of [acts.slice(0, NEMESES.length), acts.slice(NEMESES.length)])
    expect(round.toSorted()).toEqual([...NEMESES].toSorted());
});
