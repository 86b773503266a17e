/** How the demo speaks: numbered steps, plain lines under them, and waiting that ends. */
import { HubRefused } from "./hub.ts";

let steps = 0;

export function step(title: string): void {
  steps += 1;
  console.log(`\n${steps}. ${title}`);
}

export const say = (line: string): void => console.log(`   ${line}`);

const WAIT_MS_MAX = 20_000;
const POLL_MS = 50;

/** Looks until it holds; a story that hangs has failed. */
export async function until<Value>(
  what: string,
  look: () => Promise<Value>,
  holds: (value: Value) => boolean,
): Promise<Value> {
  const deadline = Date.now() + WAIT_MS_MAX;
  for (;;) {
    const value = await look().catch(missing);
    if (value !== null && holds(value)) return value;
    if (Date.now() > deadline) throw new Error(`waited ${WAIT_MS_MAX / 1_000} s in vain: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

/** What is not there yet may come; every other refusal is an answer. */
function missing(error: unknown): null {
  if (error instanceof HubRefused && error.status === 404) return null;
  throw error;
}
