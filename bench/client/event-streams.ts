/** Many readers of one topic over server-sent events, counted and timed together. */
import { request as httpRequest, type ClientRequest, type IncomingMessage } from "node:http";
import type { Side } from "../sides/side.ts";
import { Arrivals, type Audience } from "./arrivals.ts";

/** Between two blocks of a stream. */
const BLOCK_END = "\n\n";

/** The whole blocks at the start of the bytes, and what is left of them. */
export function readBlocks(bytes: Buffer): { readonly blocks: Buffer; readonly rest: Buffer } {
  const end = bytes.lastIndexOf(BLOCK_END);
  const cut = end < 0 ? 0 : end + BLOCK_END.length;
  return { blocks: bytes.subarray(0, cut), rest: bytes.subarray(cut) };
}

export class EventStreams implements Audience {
  readonly #side: Side;
  readonly #topic: string;
  readonly #requests: ClientRequest[] = [];
  readonly #arrivals = new Arrivals();
  #isClosing = false;

  static async open(side: Side, topic: string, readers: number): Promise<EventStreams> {
    const streams = new EventStreams(side, topic);
    await Promise.all(Array.from({ length: readers }, () => streams.#open()));
    return streams;
  }

  private constructor(side: Side, topic: string) {
    this.#side = side;
    this.#topic = topic;
  }

  get size(): number {
    return this.#requests.length;
  }

  reset(): void {
    this.#arrivals.reset();
  }

  received(events: number): Promise<readonly number[]> {
    return this.#arrivals.received(events);
  }

  close(): void {
    this.#isClosing = true;
    for (const request of this.#requests) request.destroy();
  }

  /** Resolves when the stream has said that it has caught up: what is published from now on, it must bring. */
  async #open(): Promise<void> {
    const { eventStream, headers } = this.#side.dialect;
    if (eventStream === null) throw new Error(`${this.#side.kind} has no event streams`);
    const { hostname, port } = this.#side.http.url;
    const path = eventStream.path(this.#topic);
    const request = httpRequest({
      hostname,
      port,
      path,
      agent: false,
      headers: { ...headers, accept: "text/event-stream" },
    });
    this.#requests.push(request);
    await new Promise<void>((resolve, reject) => {
      request.on("response", (response) => this.#read(response, eventStream.ready, resolve, reject));
      request.on("error", (error) => {
        this.#fail(error);
        reject(error);
      });
      request.end();
    });
  }

  #read(response: IncomingMessage, ready: string, isReady: () => void, refused: (error: Error) => void): void {
    if (response.statusCode !== 200) return refused(new Error(`the stream answered ${response.statusCode}`));
    let rest: Buffer = Buffer.alloc(0);
    response.on("data", (chunk: Buffer) => {
      const now = performance.now();
      const { blocks, rest: more } = readBlocks(Buffer.concat([rest, chunk]));
      rest = more;
      if (this.#arrivals.take(blocks, now) === 0 && blocks.includes(ready)) isReady();
      this.#arrivals.wake();
    });
    response.on("error", (error) => this.#fail(error));
    response.on("close", () => this.#fail(new Error("a stream was closed")));
  }

  #fail(error: Error): void {
    if (!this.#isClosing) this.#arrivals.fail(error);
  }
}
