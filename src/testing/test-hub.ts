/**
 * A hub for the tests of programs that use the client: `tidings/testing`. It keeps topics and members in memory,
 * answers the client itself over a wire of its own, and stands still until the test moves its time:
 *
 *     const test = createTestHub();
 *     const ada = test.connect({ id: "ada" });
 *     await ada.publish("rooms.7", { type: "said", data: { text: "hello" } });
 *
 * It has one partition a topic, no quotas and no tokens that end. test/client/contract.test.ts holds it to the hub.
 */
import type { HubEvent } from "../client/event-definition.ts";
import { createHub, type Hub } from "../client/hub.ts";
import type { Member } from "../client/messages.ts";
import { ManualClock, settle } from "./manual-clock.ts";
import { memorySockets } from "./memory-connection.ts";
import { MemoryHub, tokenOf, type Allows, type TestUser } from "./memory-hub.ts";

export interface TestHubOptions {
  /** What clients may do; everything when it is left out. */
  readonly allows?: Allows;
}

export class TestHub {
  readonly #clock = new ManualClock();
  readonly #hub: MemoryHub;
  readonly #clients: Hub[] = [];

  constructor({ allows = () => true }: TestHubOptions) {
    this.#hub = new MemoryHub(allows, () => this.#clock.now());
  }

  /** A client like any other; without a user it cannot enter presence channels. */
  connect(user: TestUser | null = null): Hub {
    const WebSocket = memorySockets(this.#hub);
    const { fetch } = this.#hub;
    const client = createHub({ url: "http://hub.test", token: tokenOf(user), fetch, WebSocket, clock: this.#clock });
    this.#clients.push(client);
    return client;
  }

  /** What the topic's log holds. */
  events(topic: string): readonly HubEvent[] {
    return this.#hub.topic(topic).events;
  }

  members(channel: string): readonly Member[] {
    return this.#hub.members(channel).list;
  }

  /** Lets time pass: what waits for it happens, in order, and so does all that follows from it. */
  advance(ms: number): Promise<void> {
    return this.#clock.advance(ms);
  }

  /** Lets happen what waits for nothing but its turn. */
  settle(): Promise<void> {
    return settle();
  }

  /** Ends every connection with the close code; clients come back as time passes, unless the code says not to. */
  drop(code = 1_006): void {
    for (const connection of this.#hub.connections) connection.end(code);
  }

  /** The hub cannot be reached until `mend`. */
  cut(): void {
    this.#hub.isReachable = false;
    this.drop();
  }

  mend(): void {
    this.#hub.isReachable = true;
  }

  /** Retention takes the topic's first events: who asks for them is told `gap`. */
  trim(topic: string, count: number): void {
    this.#hub.topic(topic).trim(count);
  }

  deleteTopic(topic: string): void {
    this.#hub.delete(topic);
  }

  /** Closes every client. */
  close(): void {
    for (const client of this.#clients.splice(0)) client.close();
  }
}

export const createTestHub = (options: TestHubOptions = {}): TestHub => new TestHub(options);
