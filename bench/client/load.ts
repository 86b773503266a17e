/** A closed loop: so many connections, each sending its next request when its last was answered. */

export interface LoadResult {
  readonly seconds: number;
  readonly latenciesMs: readonly number[];
}

/** `send` gets the number of the request, from 0. */
export async function closedLoop(
  connections: number,
  requests: number,
  send: (request: number) => Promise<unknown>,
): Promise<LoadResult> {
  const latenciesMs: number[] = [];
  let next = 0;
  const connection = async (): Promise<void> => {
    while (next < requests) {
      const request = next;
      next += 1;
      const sentAt = performance.now();
      await send(request);
      latenciesMs.push(performance.now() - sentAt);
    }
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: connections }, connection));
  return { seconds: (performance.now() - startedAt) / 1_000, latenciesMs };
}
