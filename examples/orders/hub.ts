/** The few requests that this system makes of the hub. Any HTTP client could: there is no SDK here on purpose. */

export interface Draft {
  readonly type: string;
  /** An id that the service derives from the order: publishing again appends nothing. */
  readonly id?: string;
  readonly source: string;
  /** Events of one order keep their order. */
  readonly key: string;
  readonly data: unknown;
}

export interface Receipt {
  readonly id: string;
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
  readonly cursor: string;
  readonly duplicate: boolean;
}

type Headers = Readonly<Record<string, string>>;

export class HubRefused extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, problem: { readonly code?: string; readonly detail?: string }) {
    super(`the hub answered ${status} ${problem.code ?? ""} ${problem.detail ?? ""}`.trim());
    this.status = status;
    this.code = problem.code ?? "";
  }
}

export class HubConnection {
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  /** Appends drafts to the topic of their own type; all or none. */
  async publish(topic: string, drafts: readonly Draft[], idempotencyKey?: string): Promise<readonly Receipt[]> {
    const headers: Headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
    const path = `/v1/topics/${topic}/events`;
    const { events } = await this.request<{ events: Receipt[] }>("POST", path, { events: drafts }, headers);
    return events;
  }

  async request<Body>(method: string, path: string, body?: unknown, headers: Headers = {}): Promise<Body> {
    return (await this.ask<Body>(method, path, body, headers)).body;
  }

  /** `replayed`: the hub has repeated what it answered before. */
  async ask<Body>(
    method: string,
    path: string,
    body?: unknown,
    headers: Headers = {},
  ): Promise<{ readonly body: Body; readonly replayed: boolean }> {
    const json = body === undefined ? null : { "content-type": "application/json" };
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#key}`, ...json, ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    });
    const answer = (await response.json()) as Body;
    if (!response.ok) throw new HubRefused(response.status, answer as { code?: string });
    return { body: answer, replayed: response.headers.get("idempotent-replayed") === "true" };
  }
}
