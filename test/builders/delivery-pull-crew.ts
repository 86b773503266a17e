/** Workers that pull, and do with each delivery what the recorder's judge says. They live on while the hub dies. */
import { pause } from "../harness/wait.ts";
import type { Request } from "./load.ts";
import { BUSY_SECONDS } from "./delivery-fates.ts";
import { wasTaken, type Attempt, type DeliveryRecorder } from "./delivery-recorder.ts";
import type { Pulled, Verdicts } from "./pull-worker.ts";

const PULL = { max: 50, lease: "3s", wait: "500ms" };

type Held = readonly [Pulled, Attempt];

export class PullCrew {
  readonly #request: Request;
  readonly #recorder: DeliveryRecorder;
  readonly #subscription: string;
  readonly #working: Promise<unknown>;
  #ended = false;

  constructor(request: Request, recorder: DeliveryRecorder, subscription: string, workers: number) {
    this.#request = request;
    this.#recorder = recorder;
    this.#subscription = subscription;
    this.#working = Promise.all(Array.from({ length: workers }, () => this.#work()));
  }

  async end(): Promise<void> {
    this.#ended = true;
    await this.#working;
  }

  async #work(): Promise<void> {
    while (!this.#ended) {
      const answer = await this.#post<{ readonly deliveries: readonly Pulled[] }>("pull", PULL);
      if (answer === null)
        await pause(50); // The plug is out.
      else await this.#settle(answer.deliveries);
    }
  }

  async #settle(deliveries: readonly Pulled[]): Promise<void> {
    if (deliveries.length === 0) return;
    const held = deliveries.map((pulled): Held => [
      pulled,
      this.#recorder.record(this.#subscription, pulled.event, pulled.id),
    ]);
    const of = (fate: string): Held[] => held.filter(([, attempt]) => attempt.fate === fate);
    // Of those that are cut the ack is lost, of those that hang nothing is heard: both leases run out.
    const acks = of("taken").map(claimOf);
    const nacks = [
      ...of("failed").map(claimOf),
      ...of("busy").map((one) => ({ ...claimOf(one), delay: `${BUSY_SECONDS}s` })),
    ];
    const toldAt = Date.now();
    const verdicts = await this.#post<Verdicts>("ack", { acks, nacks });
    const heard = [...(verdicts?.acks ?? []), ...(verdicts?.nacks ?? [])].filter(({ outcome }) => outcome !== "fenced");
    const counted = new Set(heard.map(({ id }) => id));
    for (const [{ id }, attempt] of held) {
      if (counted.has(id)) attempt.answeredAt = toldAt;
      else if (wasTaken(attempt)) attempt.wasCut = true;
    }
  }

  /** Null when nobody can say what came of it. */
  async #post<Body>(verb: string, body: object): Promise<Body | null> {
    const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
    try {
      const response = await this.#request(`/v1/subscriptions/${this.#subscription}/${verb}`, init);
      return response.ok ? ((await response.json()) as Body) : null;
    } catch {
      return null;
    }
  }
}

const claimOf = ([{ id, lease }]: Held): { readonly id: string; readonly lease: string } => ({ id, lease });
