/**
 * What each workload may cost, in units for each event, delivery, frame, run or second: the committed figures. A count
 * that grows over its figure fails `npm run cost`; where one has fallen, the figure follows it.
 */
import { UNIT_NAMES, type Units } from "./units.ts";

/** Alarms come by the clock and not by the event: a slow run has more of them. */
export const COST_LIMITS: Readonly<Record<string, Units>> = {
  "publish-1": limit(1, 1.05, 2.3, 1.1, 0),
  "publish-1-id": limit(1, 1.05, 2.3, 2.1, 0),
  "publish-100": limit(0.01, 0.011, 0.03, 0.012, 0),
  "publish-100-key": limit(0.01, 0.011, 0.05, 0.045, 0),
  "fan-out": limit(0.0005, 0.002, 0.006, 0.002, 0),
  "deliver-backlog": limit(0.022, 0.1, 4, 0.1, 0.035),
  "deliver-100": limit(0.03, 0.12, 4, 0.12, 0.05),
  "deliver-batch": limit(0.022, 0.075, 2, 0.11, 0.035),
  "deliver-1": limit(2.05, 4.2, 70, 6.3, 3.1),
  cron: limit(1, 0, 20, 0, 0),
  idle: limit(0, 0, 0, 0, 0),
};

/** In the order of `UNIT_NAMES`. */
function limit(...units: readonly [number, number, number, number, number]): Units {
  return Object.fromEntries(UNIT_NAMES.map((name, index) => [name, units[index]!])) as unknown as Units;
}

/** The units that are over their figures, each as a sentence. */
export function excesses(workload: string, units: Units): string[] {
  const limits = COST_LIMITS[workload];
  if (limits === undefined) return [`nothing is committed of ${workload}`];
  return UNIT_NAMES.filter((name) => units[name] > limits[name]).map(
    (name) => `${workload} has ${units[name].toPrecision(3)} ${name}, and ${limits[name]} are committed`,
  );
}
