/**
 * Who waits until the subscription has settled through a cursor: sockets of the Worker, which hibernate with what they
 * ask for, so that a wait costs nothing and outlives an eviction. Each is told once, when it is worth asking again.
 */
import { LIMITS } from "../../core/limits.ts";
import { parseSettledAsk, type SettledAsk } from "../../core/settled.ts";
import type { Ledger } from "./ledger.ts";
import { chooseAnswered } from "./settled.ts";

const TAG = "settled";

export class SettledWaiters {
  readonly #ctx: DurableObjectState;
  readonly #ledger: Ledger;
  /** What sockets have attached, read once while the object is awake. */
  readonly #asks = new WeakMap<WebSocket, SettledAsk>();

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
    this.#tell([server]); // What was settled before it came has told nobody.
    return new Response(null, { status: 101, webSocket: client });
  }

  /** Tells those whose answer is another than "not yet". */
  tell(): void {
    this.#tell(this.#ctx.getWebSockets(TAG));
  }

  #tell(sockets: readonly WebSocket[]): void {
    const waiting = sockets.map((socket) => ({ ...this.#askOf(socket), socket }));
    for (const { socket } of chooseAnswered(this.#ledger, waiting)) tellOnce(socket);
  }

  #askOf(socket: WebSocket): SettledAsk {
    const ask = this.#asks.get(socket) ?? parseSettledAsk(String(socket.deserializeAttachment()));
    this.#asks.set(socket, ask);
    return ask;
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
