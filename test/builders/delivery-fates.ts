/** What becomes of an attempt at a target that is not well: drawn by chance, the same for the same seed. */
import { seededRandom } from "../harness/random.ts";

/**
 * `taken`: 204. `failed`: 500. `busy`: 429 with `Retry-After`. `hung`: no answer. `cut`: 200, and the connection is
 * reset behind it, so that the target has it and the hub may not know. `gone`: 410; no chance draws it.
 */
export type Fate = "taken" | "failed" | "busy" | "hung" | "cut" | "gone";

export const BUSY_SECONDS = 1;

export type FateShares = readonly (readonly [Fate, number])[];

/** A target that is not well at all. */
export const UNWELL: FateShares = [
  ["failed", 0.1],
  ["busy", 0.03],
  ["hung", 0.01],
  ["cut", 0.01],
];

/** One that fails now and then, so that a subscription which goes one by one keeps up while all else breaks. */
export const FRAIL: FateShares = [
  ["failed", 0.04],
  ["busy", 0.01],
  ["hung", 0.002],
  ["cut", 0.01],
];

/** Of the attempt at one thing (an event, a batch) of one subscription; the first attempt is 1. */
export function drawFate(seed: number, subscription: string, thing: string, attempt: number, shares = UNWELL): Fate {
  let chance = seededRandom(seed ^ hash(`${subscription}/${thing}/${attempt}`))();
  for (const [fate, share] of shares) {
    if (chance < share) return fate;
    chance -= share;
  }
  return "taken";
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (const char of text) state = Math.imul(state ^ char.codePointAt(0)!, 0x01000193);
  return state >>> 0;
}
