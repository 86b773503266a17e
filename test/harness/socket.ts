/** A client of our own subprotocol that keeps every message and lets a test wait for what it wants to see. */
import { PATIENCE_MS, within } from "./wait.ts";

export interface HubMessage {
  readonly op: string;
  readonly ref?: string | number;
  readonly topic?: string;
  readonly cursor?: string;
  readonly event?: WireEvent;
  readonly [name: string]: unknown;
}

/** An event as every surface shows it: a CloudEvent with the hub's extensions. */
export interface WireEvent {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly data?: unknown;
  readonly data_base64?: string;
  readonly partitionkey?: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly [name: string]: unknown;
}

export interface SocketOptions {
  /** Acknowledge every so many events, as a well-behaved reader does; 0 never does. */
  readonly ackEvery?: number;
  readonly timeoutMs?: number;
  /** False: it never says that it is there when the hub asks. */
  readonly answers?: boolean;
}

type Waiter = () => boolean;

export class TestSocket {
  /** Every message received, frames that carried several taken apart. */
  readonly messages: HubMessage[] = [];
  /** How many messages each frame carried. */
  readonly frameSizes: number[] = [];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #socket: WebSocket;
  readonly #waiters = new Set<Waiter>();
  readonly #timeoutMs: number;
  readonly #ackEvery: number;
  readonly #answers: boolean;
  #sinceAck = 0;
  #ended = false;

  /** Resolves when the hub has said `welcome`; rejects when it closes instead. */
  static async open(url: string, options: SocketOptions = {}): Promise<TestSocket> {
    const client = new TestSocket(new WebSocket(url, "tidings.v1"), options);
    await client.until((messages) => messages.some((message) => message.op === "welcome"), "welcome");
    return client;
  }

  private constructor(socket: WebSocket, options: SocketOptions) {
    this.#socket = socket;
    this.#timeoutMs = options.timeoutMs ?? PATIENCE_MS;
    this.#ackEvery = options.ackEvery ?? 100;
    this.#answers = options.answers ?? true;
    socket.addEventListener("message", (message) => this.#receive(String(message.data)));
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => {
        this.#ended = true;
        this.#wake();
        resolve({ code, reason });
      });
    });
  }

  /** The events of one topic (or of all), in the order they came. */
  events(topic?: string): WireEvent[] {
    return this.messages
      .filter((message) => message.op === "event" && (topic === undefined || message.topic === topic))
      .map((message) => message.event!);
  }

  /** The last cursor seen for a topic: where a reader resumes. */
  cursor(topic: string): string | undefined {
    return this.messages.findLast((message) => message.topic === topic && typeof message.cursor === "string")?.cursor;
  }

  /** An object or an array goes as JSON, a string or bytes as they are. */
  send(frame: string | Uint8Array | object): void {
    this.#socket.send(typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame));
  }

  /** Sends a message with a `ref` and waits for the answer that carries it. */
  async ask(message: { readonly op: string; readonly [name: string]: unknown }): Promise<HubMessage> {
    const ref = message["ref"] ?? `ref-${this.messages.length}-${Math.trunc(performance.now() * 1_000)}`;
    this.send({ ...message, ref });
    return this.message((answer) => answer.ref === ref, `an answer to ${message.op}`);
  }

  subscribe(topic: string, more: Record<string, unknown> = {}): Promise<HubMessage> {
    return this.ask({ op: "subscribe", topic, ...more });
  }

  /** The first message, past or to come, that satisfies the test. */
  async message(test: (message: HubMessage) => boolean, what = "a message"): Promise<HubMessage> {
    await this.until((messages) => messages.some(test), what);
    return this.messages.find(test)!;
  }

  /** Waits until the messages satisfy the test; rejects when the socket closes or the time is up before. */
  until(test: (messages: readonly HubMessage[]) => boolean, what = "the messages awaited"): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): true => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        settle();
        return true;
      };
      const seen = (): string => JSON.stringify(this.messages.slice(-5)).slice(0, 2_000);
      const waiter: Waiter = () => {
        if (test(this.messages)) return end(resolve);
        return this.#ended && end(() => reject(new Error(`closed before ${what}; last seen: ${seen()}`)));
      };
      const timer = setTimeout(() => {
        end(() => reject(new Error(`not within ${this.#timeoutMs} ms: ${what}; last seen: ${seen()}`)));
      }, this.#timeoutMs);
      this.#waiters.add(waiter);
      waiter();
    });
  }

  /** Rejects when the other side does not close as well in time. */
  async close(code = 1000): Promise<void> {
    this.#socket.close(code);
    const seen = (): string => JSON.stringify(this.messages.slice(-2)).slice(0, 500);
    await within(this.closed, `the other side's close; last seen: ${seen()}`, this.#timeoutMs);
  }

  #receive(text: string): void {
    const frame = JSON.parse(text) as HubMessage | HubMessage[];
    const messages = Array.isArray(frame) ? frame : [frame];
    this.frameSizes.push(messages.length);
    this.messages.push(...messages);
    // The hub asks a quiet member whether it is still there.
    if (this.#answers && messages.some(({ op }) => op === "ping")) this.send('{"op":"ping"}');
    this.#acknowledge(messages);
    this.#wake();
  }

  #acknowledge(messages: readonly HubMessage[]): void {
    const last = messages.findLast((message) => message.op === "event");
    this.#sinceAck += messages.length;
    if (last === undefined || this.#ackEvery === 0 || this.#sinceAck < this.#ackEvery) return;
    this.#sinceAck = 0;
    this.send({ op: "ack", topic: last.topic, cursor: last.cursor });
  }

  #wake(): void {
    for (const waiter of this.#waiters) waiter();
  }
}
