/** A client whose connection breaks: no close frame, not even a FIN, only a reset. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

export class ResetSocket {
  readonly #socket: Socket;
  #text = "";

  /** `path` with its query. Resolves when the hub has upgraded. */
  static async open(url: string, path: string): Promise<ResetSocket> {
    const { hostname, port } = new URL(url);
    const client = new ResetSocket(connect(Number(port), hostname));
    const key = randomBytes(16).toString("base64");
    const head = [`GET ${path} HTTP/1.1`, `Host: ${hostname}:${port}`, "Connection: Upgrade", "Upgrade: websocket"];
    client.#socket.write([...head, `Sec-WebSocket-Key: ${key}`, "Sec-WebSocket-Version: 13", "", ""].join("\r\n"));
    await client.until("101 Switching Protocols");
    return client;
  }

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      this.#text += chunk.toString("latin1");
    });
    socket.on("error", () => {}); // Its own reset.
  }

  /** A text frame of at most 64 KB (RFC 6455, §5.2), masked with zeros. */
  send(message: object): void {
    const payload = Buffer.from(JSON.stringify(message));
    const length = payload.length < 126 ? [0x80 | payload.length] : [0xfe, payload.length >> 8, payload.length & 0xff];
    this.#socket.write(Buffer.concat([Buffer.from([0x81, ...length, 0, 0, 0, 0]), payload]));
  }

  /** Waits until the text has come. */
  async until(text: string): Promise<void> {
    while (!this.#text.includes(text)) await once(this.#socket, "data", { signal: AbortSignal.timeout(15_000) });
  }

  reset(): void {
    this.#socket.resetAndDestroy();
  }
}
