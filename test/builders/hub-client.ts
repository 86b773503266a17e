/** A socket to a hub inside the runtime, which keeps every message and lets a test wait for what it wants to see. */
import type { Principal } from "../../src/core/principal.ts";
import { channelHub } from "../../src/stubs.ts";
import { upgradeRequest } from "../../src/worker/live.ts";
import type { HubMessage } from "../harness/socket.ts";
import { hubPlaceOf } from "./hub-place.ts";
import { env } from "./objects.ts";

export class HubClient {
  readonly messages: HubMessage[] = [];
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  readonly #socket: WebSocket;
  readonly #waiters = new Set<() => void>();
  #refs = 0;
  #ackEvery: number;
  #sinceAck = 0;

  static async open(principal: Principal, ackEvery: number, shard = 0): Promise<HubClient> {
    const response = await channelHub(env, hubPlaceOf(principal.app, shard)).fetch(upgradeRequest(principal, null));
    const client = new HubClient(response.webSocket!, ackEvery);
    await client.until(() => client.messages[0]?.op === "welcome", "welcome");
    return client;
  }

  private constructor(socket: WebSocket, ackEvery: number) {
    this.#socket = socket;
    this.#ackEvery = ackEvery;
    this.closed = new Promise((resolve) => {
      socket.addEventListener("close", ({ code, reason }) => resolve({ code, reason }));
    });
    socket.addEventListener("message", ({ data }) => this.#receive(JSON.parse(data as string) as HubMessage));
    socket.accept();
  }

  send(message: object): void {
    this.sendText(JSON.stringify(message));
  }

  sendText(text: string): void {
    this.#socket.send(text);
  }

  /** Sends under a fresh `ref` and waits for the answer that carries it. */
  async ask(message: { readonly op: string; readonly [name: string]: unknown }): Promise<HubMessage> {
    const ref = (this.#refs += 1);
    this.send({ ...message, ref });
    return this.message((answer) => answer.ref === ref, `the answer to ${message.op}`);
  }

  async subscribe(topic: string, more: Record<string, unknown> = {}): Promise<HubMessage> {
    const answer = await this.ask({ op: "subscribe", topic, ...more });
    if (answer.op !== "subscribed") throw new Error(`not subscribed: ${JSON.stringify(answer)}`);
    return answer;
  }

  async message(test: (message: HubMessage) => boolean, what: string): Promise<HubMessage> {
    await this.until(() => this.messages.some(test), what);
    return this.messages.find(test)!;
  }

  caughtUp(times = 1): Promise<void> {
    return this.until(() => this.messages.filter(({ op }) => op === "caught_up").length >= times, "caught_up");
  }

  /** Offsets of the events that came, in their order. */
  offsets(topic?: string): number[] {
    return this.events(topic).map(({ event }) => event!.offset);
  }

  events(topic?: string): HubMessage[] {
    const events = this.messages.filter(({ op }) => op === "event");
    return topic === undefined ? events : events.filter((message) => message.topic === topic);
  }

  acknowledge(ackEvery = this.#ackEvery): void {
    this.#ackEvery = ackEvery;
    const last = this.events().at(-1);
    if (last !== undefined) this.send({ op: "ack", topic: last.topic, cursor: last.cursor });
  }

  until(test: () => boolean, what: string, timeoutMs = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(look);
        const seen = `${this.messages.length} messages, the last: ${JSON.stringify(this.messages.slice(-4))}`;
        reject(new Error(`not within ${timeoutMs} ms: ${what}; ${seen}`));
      }, timeoutMs);
      const look = (): void => {
        if (!test()) return;
        clearTimeout(timer);
        this.#waiters.delete(look);
        resolve();
      };
      this.#waiters.add(look);
      look();
    });
  }

  close(code = 1_000): void {
    this.#socket.close(code);
  }

  #receive(frame: HubMessage | HubMessage[]): void {
    this.messages.push(...[frame].flat());
    this.#sinceAck += 1;
    if (this.#ackEvery > 0 && this.#sinceAck >= this.#ackEvery) {
      this.#sinceAck = 0;
      this.acknowledge();
    }
    for (const look of this.#waiters) look();
  }
}
