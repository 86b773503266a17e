/** Waits, behind a socket of its ledger, until a subscription has settled what somebody asks for. */
import { formatSettledAsk, type SettledAsk } from "../core/settled.ts";
import type { Env } from "../env.ts";
import { subscription } from "../stubs.ts";

export interface Waiting {
  readonly env: Env;
  readonly app: string;
  /** The subscription's id. */
  readonly id: string;
  readonly ask: SettledAsk;
  /** Milliseconds since 1970. */
  readonly deadline: number;
  /** Aborts when the client has gone. */
  readonly hungUp: AbortSignal;
}

/**
 * Resolves when it is worth asking again: the ledger says so, its socket was lost, or nobody waits any longer. False at
 * once where as many wait as may.
 */
export async function waitForSettled({ env, app, id, ask, deadline, hungUp }: Waiting): Promise<boolean> {
  const query = new URLSearchParams({ asked: formatSettledAsk(ask) });
  const request = new Request(`https://ledger.invalid/settled?${query}`, { headers: { upgrade: "websocket" } });
  const { webSocket: socket } = await subscription(env, app, id).fetch(request);
  if (socket === null) return false;
  const left = AbortSignal.any([hungUp, AbortSignal.timeout(Math.max(0, deadline - Date.now()))]);
  await new Promise<void>((resolve) => {
    for (const end of ["message", "close", "error"] as const) socket.addEventListener(end, () => resolve());
    left.addEventListener("abort", () => resolve());
    socket.accept();
    if (left.aborted) resolve();
  });
  socket.close(1000);
  return true;
}
