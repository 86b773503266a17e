/** The subscription's timeout, for targets that are code and cannot be cut off like a connection. */

/** What comes first: the work, or a rejection with the signal's reason. Work that comes later is heard by nobody. */
export const untilAborted = <T>(work: PromiseLike<T>, signal: AbortSignal): Promise<T> =>
  Promise.race([
    work,
    new Promise<never>((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    }),
  ]);

export const isTimeout = (error: unknown): boolean => error instanceof DOMException && error.name === "TimeoutError";
