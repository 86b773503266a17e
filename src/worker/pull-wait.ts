/** Waits for work of one subscription, behind a socket of its ledger: the object sleeps while nothing comes. */
import type { Env } from "../env.ts";
import { subscription } from "../stubs.ts";

/** So much later than it says, so that who comes finds it due by the ledger's clock as well. */
const DUE_MARGIN_MS = 5;

export class PullWait {
  readonly #socket: WebSocket;
  /** When the ledger said to come; null: nothing yet. */
  #comeAt: number | null = null;
  #closed = false;
  #wake: (() => void) | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.#comeAt = Math.min(Number(data), this.#comeAt ?? Infinity);
      this.#wake?.();
    });
    for (const end of ["close", "error"] as const) socket.addEventListener(end, () => this.#end());
  }

  /** From here on no work comes unheard. `hungUp` aborts when the client has gone. */
  static async open(env: Env, app: string, id: string, hungUp: AbortSignal): Promise<PullWait> {
    const request = new Request("https://ledger.invalid/wait", { headers: { upgrade: "websocket" } });
    const response = await subscription(env, app, id).fetch(request);
    const wait = new PullWait(response.webSocket!);
    response.webSocket!.accept();
    hungUp.addEventListener("abort", () => wait.close(), { once: true });
    if (hungUp.aborted) wait.close();
    return wait;
  }

  /**
   * True when it is time to come: at `nextAt`, what the last pull answered, or as the ledger says. False when the
   * deadline is first, or nobody waits any more.
   */
  async forWork(nextAt: number | null, deadline: number): Promise<boolean> {
    const dueAt = nextAt === null ? Infinity : Math.max(nextAt, Date.now()) + DUE_MARGIN_MS;
    for (;;) {
      const now = Date.now();
      if (this.#closed || now >= deadline) return false;
      const comeAt = Math.min(dueAt, this.#comeAt ?? Infinity);
      if (comeAt <= now) break;
      await this.#sleep(Math.min(comeAt, deadline) - now);
    }
    this.#comeAt = null;
    return true;
  }

  close(): void {
    if (!this.#closed) this.#socket.close(1000);
    this.#end();
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #end(): void {
    this.#closed = true;
    this.#wake?.();
  }
}
