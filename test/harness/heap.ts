/** How much of the Worker's memory is in use: the process itself grows for long before the runtime collects garbage. */

interface Answer {
  readonly id: number;
  readonly result: { readonly usedSize?: number };
}

/** Collects garbage first. `inspectorUrl` names one Worker of the runtime (Chrome DevTools protocol). */
export async function usedHeapBytes(inspectorUrl: string): Promise<number> {
  const socket = new WebSocket(inspectorUrl);
  await new Promise((resolve, reject) => {
    socket.addEventListener("open", resolve);
    socket.addEventListener("error", reject);
  });
  let asked = 0;
  const ask = (method: string): Promise<Answer> =>
    new Promise((resolve) => {
      const id = (asked += 1);
      socket.addEventListener("message", ({ data }) => {
        const answer = JSON.parse(String(data)) as Answer;
        if (answer.id === id) resolve(answer);
      });
      socket.send(JSON.stringify({ id, method }));
    });
  try {
    await ask("HeapProfiler.collectGarbage");
    return (await ask("Runtime.getHeapUsage")).result.usedSize!;
  } finally {
    socket.close();
  }
}
