/** The hub's side of a client's sockets, as a test writes it, and time that moves when the test says so. */
import type { Clock, Socket, SocketClass } from "../../src/client/platform.ts";

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

export class ManualClock implements Clock {
  /** What `random` answers. */
  chance = 0.5;
  #now = 1_000_000;
  #timers: { readonly at: number; readonly work: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  random(): number {
    return this.chance;
  }

  after(ms: number, work: () => void): () => void {
    const timer = { at: this.#now + ms, work };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  /** How long until each timer, milliseconds. */
  get waits(): number[] {
    return this.#timers.map(({ at }) => at - this.#now);
  }

  /** Runs what is due, in order. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      const next = this.#timers.filter(({ at }) => at <= end).toSorted((left, right) => left.at - right.at)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.at);
      next.work();
      await settle();
    }
    this.#now = end;
    await settle();
  }

  /** Time passes, and no timer runs: the machine sleeps. */
  sleep(ms: number): void {
    this.#now += ms;
  }
}

/** Lets promises that wait for nothing go on. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}
