/** The webhook endpoint of the bench: takes every delivery, and notes how long it was under way. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { scanEvents } from "./events.ts";

const PATIENCE_MS = 60_000;

export class DeliverySink {
  readonly url: string;
  readonly #server: Server;
  #latenciesMs: number[] = [];
  #changed: () => void = () => undefined;

  static async open(): Promise<DeliverySink> {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return new DeliverySink(server);
  }

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const now = performance.now();
        scanEvents(Buffer.concat(chunks), (sentAt) => this.#latenciesMs.push(now - sentAt));
        response.writeHead(204).end();
        this.#changed();
      });
    });
  }

  reset(): void {
    this.#latenciesMs = [];
  }

  /** Waits until so many events were delivered since `reset`; answers publish→sink times. */
  async received(events: number): Promise<readonly number[]> {
    const deadline = performance.now() + PATIENCE_MS;
    while (this.#latenciesMs.length < events) {
      const left = deadline - performance.now();
      const arrived = this.#latenciesMs.length;
      if (left <= 0) throw new Error(`${arrived} of ${events} deliveries arrived within ${PATIENCE_MS} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left);
        this.#changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#latenciesMs;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
