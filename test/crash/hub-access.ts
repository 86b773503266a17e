/** What a run asks of its hub, in the run's words. Of a hub that is down every call rejects. */
import type { Request } from "../builders/load.ts";
import type { WireEvent } from "../harness/socket.ts";
import type { Books } from "./delivery-checks.ts";

export interface Stats extends Books {
  readonly inFlight: number;
  readonly lag: number;
}

interface Letters {
  readonly items: readonly { readonly event: WireEvent }[];
  readonly cursor: string | null;
}

export class HubAccess {
  readonly #request: Request;

  constructor(request: Request) {
    this.#request = request;
  }

  async json<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const init = { method, headers: { "content-type": "application/json" } };
    const response = await this.#request(
      `/v1/${path}`,
      body === undefined ? init : { ...init, body: JSON.stringify(body) },
    );
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} was answered ${response.status}: ${text}`);
    return (text === "" ? null : JSON.parse(text)) as Body;
  }

  put(path: string, definition: object): Promise<unknown> {
    return this.json("PUT", path, definition);
  }

  publish(topic: string, events: readonly object[]): Promise<unknown> {
    return this.json("POST", `topics/${topic}/events`, events);
  }

  async look(name: string): Promise<{ readonly state: string; readonly stats: Stats }> {
    return this.json("GET", `subscriptions/${name}`);
  }

  /** Null when the hub cannot say. */
  async stats(name: string): Promise<Stats | null> {
    return (await this.look(name).catch(() => null))?.stats ?? null;
  }

  /** The ids of the events of all its dead letters. */
  async deadEvents(name: string): Promise<string[]> {
    const path = `subscriptions/${name}/dead-letters?limit=1000`;
    const ids: string[] = [];
    for (let page = await this.json<Letters>("GET", path); ;) {
      ids.push(...page.items.map(({ event }) => event.id));
      if (page.cursor === null) return ids;
      page = await this.json("GET", `${path}&cursor=${encodeURIComponent(page.cursor)}`);
    }
  }

  async readLog(topic: string): Promise<WireEvent[]> {
    const events: WireEvent[] = [];
    let from = "earliest";
    for (;;) {
      const page = await this.json<{ events: WireEvent[]; cursor: string; caughtUp: boolean }>(
        "GET",
        `topics/${topic}/events?limit=1000&from=${from}`,
      );
      events.push(...page.events);
      if (page.caughtUp) return events;
      from = `cursor:${page.cursor}`;
    }
  }
}
