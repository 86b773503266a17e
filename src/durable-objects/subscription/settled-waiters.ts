/**
 * Who waits until the subscription has settled through a cursor: sockets of the Worker, which hibernate with what they
 * ask for, so that a wait costs nothing and outlives an eviction. Each is told once, when it is worth asking again.
 */
import { LIMITS } from "../../core/limits.ts";
import { parseSettledAsk } from "../../core/settled.ts";
import type { Ledger } from "./ledger.ts";
import { lookSettled } from "./settled.ts";

const TAG = "settled";

export class SettledWaiters {
  readonly #ctx: DurableObjectState;
  readonly #ledger: Ledger;

  constructor(ctx: DurableObjectState, ledger: Ledger) {
    this.#ctx = ctx;
    this.#ledger = ledger;
  }

  /** Only the Worker comes here, for someone whom it has let in. One too many is not let wait. */
  accept(request: Request): Response {
    const asked = new URL(request.url).searchParams.get("asked");
    if (asked === null || request.headers.get("upgrade") !== "websocket") return new Response(null, { status: 426 });
    if (this.#ctx.getWebSockets(TAG).length >= LIMITS.SETTLED_WAITERS_MAX) return new Response(null, { status: 429 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.#ctx.acceptWebSocket(server, [TAG]);
    server.serializeAttachment(asked);
    this.tell(); // What was settled before it came has told nobody.
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Tells those whose answer is another than "not yet". */
  tell(): void {
    const waiting = Map.groupBy(this.#ctx.getWebSockets(TAG), (socket) => String(socket.deserializeAttachment()));
    for (const [asked, sockets] of waiting) {
      const look = lookSettled(this.#ledger, parseSettledAsk(asked));
      if (!look.ok || look.value.reached) for (const socket of sockets) tellOnce(socket);
    }
  }
}

function tellOnce(socket: WebSocket): void {
  try {
    socket.send("ask again");
    socket.close(1000);
  } catch {
    // Its Worker has gone, or it was told before.
  }
}
