/** A network that can be pulled: TCP from a loopback port to a hub, cut without a word and mended again. */
import { createServer, connect, type AddressInfo, type Server, type Socket } from "node:net";

export class CuttableProxy {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;
  readonly #network: { isCut: boolean };

  static async open(target: string): Promise<CuttableProxy> {
    const sockets = new Set<Socket>();
    const network = { isCut: false };
    const { port, hostname } = new URL(target);
    const server = createServer((near) => {
      if (network.isCut) return void near.destroy();
      const far = connect(Number(port), hostname);
      for (const [socket, other] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(socket);
        socket.on("error", () => other.destroy());
        socket.on("close", () => {
          sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return new CuttableProxy(server, sockets, network);
  }

  private constructor(server: Server, sockets: Set<Socket>, network: { isCut: boolean }) {
    this.#server = server;
    this.#sockets = sockets;
    this.#network = network;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Nothing is carried any more, and nothing ends: what both sides send waits in their buffers, and then in them. */
  stall(): void {
    for (const socket of this.#sockets) socket.pause();
  }

  flow(): void {
    for (const socket of this.#sockets) socket.resume();
  }

  /** Ends every connection; new ones are let in. */
  drop(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Ends every connection and lets no new one in. */
  cut(): void {
    this.#network.isCut = true;
    this.drop();
  }

  mend(): void {
    this.#network.isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }
}
