/** Waiting for a state that nobody announces: short polls with a deadline and a message that helps. */

/** How long a test waits before it says that something will not come. Long: it shares two cores with other tests. */
export const PATIENCE_MS = 30_000;

export async function eventually<T>(
  look: () => T | Promise<T>,
  holds: (value: T) => boolean,
  what: string,
  timeoutMs = PATIENCE_MS,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (holds(value)) return value;
    const late = Date.now() > deadline;
    if (late) throw new Error(`not within ${timeoutMs} ms: ${what}; last seen: ${JSON.stringify(value)}`);
    await pause(20);
  }
}

/** For what announces itself, and may never do so. */
export async function within<T>(promise: Promise<T>, what: string, timeoutMs = PATIENCE_MS): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not within ${timeoutMs} ms: ${what}`)), timeoutMs);
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
