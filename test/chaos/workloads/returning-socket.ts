/** A client of the hub's own protocol that comes back whenever its connection breaks, until it is told to leave. */
import type { HubMessage } from "../../harness/socket.ts";
import { pause } from "../../harness/wait.ts";

export interface SocketWishes {
  /** The address to connect to, asked for anew each time. */
  url(): Promise<string>;
  /** What it says first. */
  greeting(): object;
  hear(message: HubMessage): void;
  /** The connection is gone; what it was told is old. */
  lost(): void;
}

const PING = '{"op":"ping"}';
const PING_EVERY_MS = 1_000;
/** Nothing heard for so long, not even a pong: the connection is given up. */
const SILENT_MS = 5_000;
const BACK_WITHIN_MS = 400;

export class ReturningSocket {
  readonly #wishes: SocketWishes;
  #socket: WebSocket | null = null;
  #isOver = false;
  #heardAt = 0;
  #pinging: NodeJS.Timeout | undefined;

  constructor(wishes: SocketWishes) {
    this.#wishes = wishes;
    void this.#connect();
  }

  send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  /** Gives the connection up, as a page that is loaded again. */
  reconnect(): void {
    const socket = this.#socket;
    if (socket !== null) this.#lost(socket);
    socket?.close();
  }

  close(): void {
    this.#isOver = true;
    clearInterval(this.#pinging);
    this.#socket?.close(1_000);
  }

  async #connect(): Promise<void> {
    const url = await this.#wishes.url().catch(() => null);
    if (this.#isOver) return;
    if (url === null) return void this.#comeBack();
    const socket = new WebSocket(url, "tidings.v1");
    this.#socket = socket;
    this.#heardAt = Date.now();
    socket.addEventListener("open", () => socket.send(JSON.stringify(this.#wishes.greeting())));
    socket.addEventListener("message", ({ data }) => this.#receive(socket, String(data)));
    socket.addEventListener("close", () => this.#lost(socket));
    clearInterval(this.#pinging);
    this.#pinging = setInterval(() => this.#ping(socket), PING_EVERY_MS);
  }

  #ping(socket: WebSocket): void {
    if (Date.now() - this.#heardAt > SILENT_MS) this.reconnect();
    else if (socket.readyState === WebSocket.OPEN) socket.send(PING);
  }

  #receive(socket: WebSocket, text: string): void {
    if (this.#socket !== socket) return;
    this.#heardAt = Date.now();
    for (const message of [JSON.parse(text) as HubMessage | HubMessage[]].flat()) {
      if (message.op === "ping") socket.send(PING);
      // Whatever it is that cannot be done now is asked for again, from the beginning.
      else if (message.op === "error") this.reconnect();
      else this.#wishes.hear(message);
    }
  }

  #lost(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    this.#socket = null;
    clearInterval(this.#pinging);
    this.#wishes.lost();
    void this.#comeBack();
  }

  async #comeBack(): Promise<void> {
    await pause(50 + Math.random() * BACK_WITHIN_MS);
    if (!this.#isOver) await this.#connect();
  }
}
