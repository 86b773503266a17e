/** A webhook receiver on loopback whose behaviour a test programs, delivery by delivery. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { WireEvent } from "./socket.ts";
import { PATIENCE_MS } from "./wait.ts";

export interface ReceivedDelivery {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly event: WireEvent;
  /** `webhook-id`. */
  readonly id: string;
  /** 1 for the first time this id came. */
  readonly attempt: number;
  readonly receivedAt: number;
}

export interface SinkAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly delayMs?: number;
  /** Cuts the connection instead of answering. */
  readonly reset?: boolean;
}

export type SinkRule = (delivery: ReceivedDelivery) => SinkAnswer | number;

export class Sink {
  readonly deliveries: ReceivedDelivery[] = [];
  /** Deliveries that were answered with 2xx. */
  readonly accepted: ReceivedDelivery[] = [];
  readonly url: string;
  readonly #server: Server;
  readonly #attempts = new Map<string, number>();
  readonly #waiters = new Set<() => void>();
  #rule: SinkRule;

  /** By default everything is accepted with 204. */
  static async open(rule: SinkRule = () => 204, port = 0): Promise<Sink> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => resolve());
    });
    return new Sink(server, rule);
  }

  private constructor(server: Server, rule: SinkRule) {
    this.#server = server;
    this.#rule = rule;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => void this.#receive(request, response));
  }

  respond(rule: SinkRule): void {
    this.#rule = rule;
  }

  /** Waits until the deliveries satisfy the test. */
  until(test: (sink: Sink) => boolean, what = "the deliveries awaited", timeoutMs = PATIENCE_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(look);
        const seen = `${this.deliveries.length} deliveries came, ${this.accepted.length} were accepted`;
        reject(new Error(`not within ${timeoutMs} ms: ${what}; ${seen}`));
      }, timeoutMs);
      const look = (): void => {
        if (!test(this)) return;
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve();
      };
      this.#waiters.add(look);
      look();
    });
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const delivery = this.#record(request, Buffer.concat(chunks).toString("utf8"));
    const ruled = this.#rule(delivery);
    const answer = typeof ruled === "number" ? { status: ruled } : ruled;
    const { status = 204, headers = {}, body = "", delayMs = 0, reset = false } = answer;
    if (delayMs > 0)
      await new Promise((resolve) => {
        setTimeout(resolve, delayMs);
      });
    if (!reset && status >= 200 && status < 300) this.accepted.push(delivery);
    this.deliveries.push(delivery);
    if (reset) request.socket.destroy();
    else response.writeHead(status, { ...headers }).end(status === 204 ? undefined : body);
    for (const look of this.#waiters) look();
  }

  #record(request: IncomingMessage, body: string): ReceivedDelivery {
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
    const id = headers["webhook-id"] ?? "";
    const attempt = (this.#attempts.get(id) ?? 0) + 1;
    this.#attempts.set(id, attempt);
    const event = JSON.parse(body) as WireEvent;
    return { path: request.url ?? "/", headers, body, event, id, attempt, receivedAt: Date.now() };
  }
}
