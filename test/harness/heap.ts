/** How much of the Worker's memory is in use: the process itself grows for long before the runtime collects garbage. */
import { within } from "./wait.ts";

interface Answer {
  readonly id: number;
  readonly result: { readonly usedSize?: number };
}

/**
 * Collects garbage first. `inspectorUrl` names one Worker of the runtime (Chrome DevTools protocol), and `wake` has it run
 * any of its code: V8 collects in a task of its own, and workerd runs tasks only behind a Worker's code, so one that
 * nobody asks for anything collects, and answers, when its next alarm happens to go off.
 */
export async function usedHeapBytes(inspectorUrl: string, wake: () => Promise<void>): Promise<number> {
  const socket = new WebSocket(inspectorUrl);
  // The runtime may end, or be too busy to answer: then nothing would ever come.
  const lost = new Promise<never>((_resolve, reject) => {
    for (const kind of ["error", "close"] as const) {
      socket.addEventListener(kind, () => reject(new Error(`the inspector's socket: ${kind}`)));
    }
  });
  lost.catch(() => undefined); // It closes at the end, too.
  const opened = new Promise((resolve) => {
    socket.addEventListener("open", resolve);
  });
  let asked = 0;
  const ask = (method: string): Promise<Answer> => {
    const answered = new Promise<Answer>((resolve) => {
      const id = (asked += 1);
      socket.addEventListener("message", ({ data }) => {
        const answer = JSON.parse(String(data)) as Answer;
        if (answer.id === id) resolve(answer);
      });
      socket.send(JSON.stringify({ id, method }));
    });
    return within(Promise.race([answered, lost]), `the inspector's answer to ${method}`);
  };
  try {
    await within(Promise.race([opened, lost]), "the inspector");
    const collected = ask("HeapProfiler.collectGarbage");
    while ((await Promise.race([collected, wake()])) === undefined);
    return (await ask("Runtime.getHeapUsage")).result.usedSize!;
  } finally {
    socket.close();
  }
}
