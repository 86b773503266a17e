/** How dense faults are. */
import type { Pace } from "./schedule.ts";

/** Every nemesis within half a minute. */
export const LEAN_PACE: Pace = { calmMs: [300, 700], actMs: [800, 1_500] };

/** Some thirty kills in twenty minutes. */
export const LONG_PACE: Pace = { calmMs: [1_500, 6_000], actMs: [1_500, 5_000] };
