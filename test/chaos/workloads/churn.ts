/** W7: topics and subscriptions on the side that are made, changed, paused, sought and deleted all the while. */
import { seededRandom } from "../../harness/random.ts";
import { pause } from "../../harness/wait.ts";
import type { Workload, World } from "../world.ts";
import { owedBy } from "./targets.ts";

const SIDES = 3;
const MOVE_EVERY_MS = 250;
/** `404` where it is not there yet or any more, `409` where another change came first. */
const EXPECTED = new Set([200, 201, 202, 204, 404, 409, 503]);

type Move = readonly [method: string, path: string, body?: unknown];

export class Churn implements Workload {
  readonly #world: World;
  #isOver = false;
  #working: Promise<void> = Promise.resolve();

  constructor(world: World) {
    this.#world = world;
  }

  async prepare(): Promise<void> {}

  begin(): void {
    this.#working = this.#churn();
  }

  /** In the end each side is there and runs. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#working;
  }

  async missing(): Promise<readonly string[]> {
    for (let side = 0; side < SIDES; side += 1) {
      await this.#world.access.put(`topics/churn.${side}`, {});
      await this.#world.access.put(`subscriptions/churn-${side}`, this.#subscription(side));
      await this.#world.access.json("POST", `subscriptions/churn-${side}/resume`, {});
    }
    return owedBy(
      this.#world,
      Array.from({ length: SIDES }, (_, side) => `churn-${side}`),
    );
  }

  async tell(): Promise<void> {}

  async #churn(): Promise<void> {
    const random = seededRandom(this.#world.seed + 7_000);
    while (!this.#isOver) {
      await pause(MOVE_EVERY_MS);
      const side = Math.floor(random() * SIDES);
      await this.#make(this.#draw(side, random));
    }
  }

  #draw(side: number, random: () => number): Move {
    const [topic, subscription] = [`topics/churn.${side}`, `subscriptions/churn-${side}`];
    const moves: readonly Move[] = [
      ["PUT", topic, {}],
      ["PUT", subscription, this.#subscription(side)],
      ["PUT", subscription, { ...this.#subscription(side), filter: { type: ["churned"] } }],
      ["POST", `${topic}/events`, Array.from({ length: 5 }, (_, data) => ({ type: "churned", data }))],
      ["POST", `${topic}/events`, { type: "churned", key: "one" }],
      ["POST", `${subscription}/pause`, {}],
      ["POST", `${subscription}/resume`, {}],
      ["POST", `${subscription}/seek`, { to: "earliest" }],
      ["GET", subscription],
    ];
    if (random() < 0.05) return ["DELETE", topic];
    if (random() < 0.05) return ["DELETE", subscription];
    return moves[Math.floor(random() * moves.length)]!;
  }

  #subscription(side: number): object {
    const { recorder } = this.#world;
    return {
      topics: [`churn.${side}`],
      startFrom: "earliest",
      timeout: "1s",
      retry: { maxAttempts: 20, schedule: ["200ms"] },
      target: { kind: "webhook", url: `${recorder.url}/churn-${side}` },
    };
  }

  async #make([method, path, body]: Move): Promise<void> {
    const at = Date.now();
    const init: RequestInit = { method, headers: { "content-type": "application/json" } };
    if (body !== undefined) init.body = JSON.stringify(body);
    const answer = await this.#world
      .request(`/v1/${path}`, init)
      .then(async (response) => ({ status: response.status, text: await response.text() }))
      .catch(() => null);
    if (answer === null || EXPECTED.has(answer.status)) return;
    const what = `${method} ${path} was answered ${answer.status}: ${answer.text}`;
    this.#world.history.add({ op: "offence", kind: "answer", at, what });
  }
}
