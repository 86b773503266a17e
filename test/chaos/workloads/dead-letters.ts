/** W6: a target that some events kill at first, and somebody who redrives them while everything goes on. */
import { pause } from "../../harness/wait.ts";
import type { Workload, World } from "../world.ts";
import { owedBy, tellBooks } from "./targets.ts";

/** Of this subscription every so-manieth event is not taken before its third attempt, and it has two. */
export const LETTERS = "letters";
export const isPoisoned = (id: string, attempt: number): boolean => attempt <= 2 && Number(id.split("-")[1]) % 8 === 0;

const REDRIVE_EVERY_MS = 2_500;

export class DeadLetters implements Workload {
  readonly #world: World;
  readonly #topic: string;
  #isOver = false;
  #working: Promise<void> = Promise.resolve();

  constructor(world: World, topic: string) {
    this.#world = world;
    this.#topic = topic;
  }

  async prepare(): Promise<void> {
    const { access, recorder, history } = this.#world;
    await access.put(`subscriptions/${LETTERS}`, {
      topics: [this.#topic],
      startFrom: "earliest",
      timeout: "5s",
      filter: { data: { parity: ["even"] } },
      retry: { maxAttempts: 2, schedule: ["100ms"] },
      target: { kind: "webhook", url: `${recorder.url}/${LETTERS}` },
    });
    const promised = { takes: "even", order: "none", isBatched: false } as const;
    history.add({ op: "subscription", name: LETTERS, topic: this.#topic, at: Date.now(), ...promised });
  }

  begin(): void {
    this.#working = this.#redrive();
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }

  missing(): Promise<readonly string[]> {
    return owedBy(this.#world, [LETTERS]);
  }

  tell(): Promise<void> {
    return tellBooks(this.#world, LETTERS);
  }

  /** Those that die after its last turn stay dead. */
  async #redrive(): Promise<void> {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: '{"all":true}' };
    while (!this.#isOver) {
      await pause(REDRIVE_EVERY_MS);
      const redriven = this.#world.request(`/v1/subscriptions/${LETTERS}/dead-letters/redrive`, init);
      await redriven.then((response) => response.text()).catch(() => null); // Then the next turn does it.
    }
  }
}
