/** A pull worker as a client writes it: over HTTP, with nothing but what the answers say. */
import type { Answer, Hub } from "../harness/hub.ts";
import type { WireEvent } from "../harness/socket.ts";

export interface Pulled {
  readonly id: string;
  readonly lease: string;
  readonly leaseUntil: string;
  readonly attempt: number;
  readonly redrive?: boolean;
  readonly event: WireEvent;
}

export interface Verdict {
  readonly id: string;
  readonly outcome: string;
  readonly leaseUntil?: string | null;
}

export interface Verdicts {
  readonly acks: readonly Verdict[];
  readonly nacks: readonly Verdict[];
  readonly extends: readonly Verdict[];
}

export class PullWorker {
  readonly #hub: Hub;
  readonly #path: string;
  readonly #headers: Record<string, string>;

  constructor(hub: Hub, subscription: string, headers: Record<string, string> = {}) {
    this.#hub = hub;
    this.#path = `/v1/subscriptions/${subscription}`;
    this.#headers = headers;
  }

  ask(body: unknown): Promise<Answer<{ readonly deliveries: readonly Pulled[] }>> {
    return this.#hub.json("POST", `${this.#path}/pull`, body, this.#headers);
  }

  async pull(body: unknown = {}): Promise<readonly Pulled[]> {
    const answer = await this.ask(body);
    if (answer.status !== 200) throw new Error(`a pull answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body.deliveries;
  }

  async report(body: unknown): Promise<Verdicts> {
    const answer = await this.#hub.json<Verdicts>("POST", `${this.#path}/ack`, body, this.#headers);
    if (answer.status !== 200) throw new Error(`a report answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  /** The outcomes, in the order of the deliveries. */
  async ack(deliveries: readonly Pick<Pulled, "id" | "lease">[]): Promise<readonly string[]> {
    return outcomesOf((await this.report({ acks: deliveries.map(claimOf) })).acks);
  }

  async nack(deliveries: readonly Pulled[], more: object = {}): Promise<readonly string[]> {
    return outcomesOf((await this.report({ nacks: deliveries.map((one) => ({ ...claimOf(one), ...more })) })).nacks);
  }
}

export const claimOf = ({ id, lease }: Pick<Pulled, "id" | "lease">): { id: string; lease: string } => ({ id, lease });

const outcomesOf = (verdicts: readonly Verdict[]): readonly string[] => verdicts.map(({ outcome }) => outcome);
