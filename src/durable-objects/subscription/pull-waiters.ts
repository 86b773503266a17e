/** Long polls that wait for work: sockets of the Worker, told when to come, in milliseconds since 1970. */
import type { Ledger } from "./ledger.ts";

const TAG = "pull";

export class PullWaiters {
  readonly #ctx: DurableObjectState;
  readonly #ledger: Ledger;
  /** The time that the sockets were told last; a hint, so heap is enough. */
  #told = 0;

  constructor(ctx: DurableObjectState, ledger: Ledger) {
    this.#ctx = ctx;
    this.#ledger = ledger;
  }

  /** Only the Worker comes here, for someone whom it has let in. */
  accept(request: Request): Response {
    if (request.headers.get("upgrade") !== "websocket") return new Response(null, { status: 426 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [TAG]);
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Tells when it is worth coming. Once too often is an empty pull; once too rarely would be a delivery that waits. */
  ring(now: number): void {
    const sockets = this.#ctx.getWebSockets(TAG);
    if (sockets.length === 0) return;
    const at = this.#workAt(now);
    if (at === null || (at > now && at === this.#told)) return;
    this.#told = at;
    for (const socket of sockets) {
      try {
        socket.send(String(at));
      } catch {
        // Its Worker has gone.
      }
    }
  }

  /** When there is something to lease; null: another word of somebody comes first. */
  #workAt(now: number): number | null {
    const ledger = this.#ledger;
    if (ledger.pullRoom() === 0) return null;
    return ledger.sources.isAnyBehind() ? now : ledger.retries.nextAt();
  }
}
