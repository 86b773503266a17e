/** The hub's side of a client's sockets, as a test writes it. */
import type { Socket, SocketClass } from "../../src/client/platform.ts";

type Listener = (event: { data?: string; code?: number }) => void;

export class ScriptedSocket implements Socket {
  readonly url: string;
  readonly sent: { readonly op: string; readonly ref?: number; readonly [member: string]: unknown }[] = [];
  /** Whether the client has closed it. */
  isClosed = false;
  readonly #listeners: Record<"message" | "close", Listener[]> = { message: [], close: [] };

  constructor(url: string) {
    this.url = url;
  }

  addEventListener(kind: "message" | "close", listener: Listener): void {
    this.#listeners[kind].push(listener);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as never);
  }

  close(): void {
    this.isClosed = true;
  }

  /** The hub speaks. */
  say(...messages: object[]): void {
    for (const listener of this.#listeners.message) listener({ data: JSON.stringify(messages) });
  }

  /** The hub, or the network, ends it. */
  end(code: number): void {
    for (const listener of this.#listeners.close) listener({ code });
  }
}

/** Collects the sockets that a client opens. */
export function scriptedSockets(): { readonly sockets: ScriptedSocket[]; readonly WebSocket: SocketClass } {
  const sockets: ScriptedSocket[] = [];
  const WebSocket = class extends ScriptedSocket {
    constructor(url: string) {
      super(url);
      sockets.push(this);
    }
  };
  return { sockets, WebSocket };
}
