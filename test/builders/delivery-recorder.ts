/**
 * The targets of many subscriptions behind one address, at `/<subscription>`: they fail as they are told to, and write
 * down what came when and what they said. They know nothing of the hub, so what they hold can be held against it.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { WireEvent } from "../harness/socket.ts";
import { BUSY_SECONDS, type Fate } from "./delivery-fates.ts";

/** Times are milliseconds since 1970, by the clock that the hub has too. */
export interface Attempt {
  readonly fate: Fate;
  readonly at: number;
  /** Counts everything that comes to the recorder: of two attempts the earlier has the smaller. */
  readonly turn: number;
  /** When it was answered or, of one that was not, when the caller gave up; null: it still hangs. */
  answeredAt: number | null;
  /** The connection ended at once after the answer: the caller may not have heard it. */
  wasCut: boolean;
}

/** What a target knows of one event. */
export interface Story {
  readonly event: WireEvent;
  /** Under which ids it came. */
  readonly ids: Set<string>;
  readonly attempts: Attempt[];
}

/** By the event's id. */
export type Stories = ReadonlyMap<string, Story>;

/** `thing`: the event's id or, of a request with several events, the request's. */
export type Judge = (subscription: string, thing: string, attempt: number, event: WireEvent | null) => Fate;

/** Hears of each attempt as it comes; how it was answered stands in it later. */
export type AttemptListener = (subscription: string, event: WireEvent, id: string, attempt: Attempt) => void;

export const wasTaken = ({ fate }: Attempt): boolean => fate === "taken" || fate === "cut";

/** A caller that hangs up so shortly after the request came has not waited for another. */
const CUT_WITHIN_MS = 3_000;

export class DeliveryRecorder {
  readonly url: string;
  readonly #server: Server;
  readonly #stories = new Map<string, Map<string, Story>>();
  /** Of requests with several events, by subscription and id. */
  readonly #requests = new Map<string, number>();
  readonly #last = new Map<Socket, readonly Attempt[]>();
  readonly #watched = new WeakSet<Socket>();
  readonly #listen: AttemptListener;
  #judge: Judge;
  #turn = 0;

  static async open(judge: Judge, listen: AttemptListener = () => undefined): Promise<DeliveryRecorder> {
    const server = createServer();
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(0, "127.0.0.1", () => resolve());
    });
    return new DeliveryRecorder(server, judge, listen);
  }

  private constructor(server: Server, judge: Judge, listen: AttemptListener) {
    this.#server = server;
    this.#judge = judge;
    this.#listen = listen;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.on("request", (request, response) => {
      this.#receive(request, response).catch(() => request.socket.destroy()); // It broke off: nothing was asked.
    });
  }

  judge(judge: Judge): void {
    this.#judge = judge;
  }

  storiesOf(subscription: string): Stories {
    return this.#storiesOf(subscription);
  }

  takenBy(subscription: string): number {
    return [...this.storiesOf(subscription).values()].filter(({ attempts }) => attempts.some(wasTaken)).length;
  }

  /** One attempt that came another way than over HTTP. Its answer is the caller's to write down. */
  record(subscription: string, event: WireEvent, id: string, fate?: Fate): Attempt {
    const story = this.#storyOf(subscription, event);
    const judged = fate ?? this.#judge(subscription, event.id, story.attempts.length + 1, event);
    this.#turn += 1;
    const attempt = { fate: judged, at: Date.now(), turn: this.#turn, answeredAt: null, wasCut: false };
    story.ids.add(id);
    story.attempts.push(attempt);
    this.#listen(subscription, event, id, attempt);
    return attempt;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const subscription = (request.url ?? "/").slice(1);
    const id = String(request.headers["webhook-id"]);
    const body = JSON.parse(Buffer.concat(chunks).toString("utf8")) as WireEvent | WireEvent[];
    if (!Array.isArray(body)) {
      const attempt = this.record(subscription, body, id);
      return this.#answer(request.socket, response, attempt.fate, [attempt], "");
    }
    const whole = this.#fateOfRequest(subscription, id);
    const attempts = body.map((event) =>
      this.record(subscription, event, id, this.#fateWithin(subscription, event, whole)),
    );
    const failed = body.filter((_event, index) => !wasTaken(attempts[index]!)).map((event) => ({ id: event.id }));
    this.#answer(request.socket, response, whole, attempts, JSON.stringify({ failed }));
  }

  /** A request that is taken, or cut behind that, may say of some events that they were not. */
  #fateWithin(subscription: string, event: WireEvent, whole: Fate): Fate {
    if (whole !== "taken" && whole !== "cut") return whole;
    const attempt = (this.#storiesOf(subscription).get(event.id)?.attempts.length ?? 0) + 1;
    const own = this.#judge(subscription, event.id, attempt, event);
    return own === "taken" || own === "cut" ? whole : "failed";
  }

  #fateOfRequest(subscription: string, id: string): Fate {
    const name = `${subscription}/${id}`;
    const attempt = (this.#requests.get(name) ?? 0) + 1;
    this.#requests.set(name, attempt);
    return this.#judge(subscription, id, attempt, null);
  }

  #answer(socket: Socket, response: ServerResponse, fate: Fate, attempts: readonly Attempt[], taken: string): void {
    this.#watch(socket, attempts);
    if (fate === "hung") return;
    for (const attempt of attempts) attempt.answeredAt = Date.now();
    if (fate === "failed") response.writeHead(500).end();
    else if (fate === "gone") response.writeHead(410).end();
    else if (fate === "busy") response.writeHead(429, { "retry-after": String(BUSY_SECONDS) }).end();
    else response.writeHead(200, { "content-type": "application/json" }).end(taken);
    if (fate === "cut") socket.resetAndDestroy();
  }

  /** Notes of the last attempts on a connection whether it ended with them. */
  #watch(socket: Socket, attempts: readonly Attempt[]): void {
    // The caller hung up before it could be answered at all.
    if (socket.destroyed) for (const attempt of attempts) attempt.wasCut = true;
    this.#last.set(socket, attempts);
    if (this.#watched.has(socket)) return;
    this.#watched.add(socket);
    socket.once("close", () => {
      const now = Date.now();
      for (const attempt of this.#last.get(socket) ?? []) {
        attempt.answeredAt ??= now;
        attempt.wasCut = now - attempt.at < CUT_WITHIN_MS;
      }
      this.#last.delete(socket);
    });
  }

  #storyOf(subscription: string, event: WireEvent): Story {
    const stories = this.#storiesOf(subscription);
    const story = stories.get(event.id) ?? { event, ids: new Set<string>(), attempts: [] };
    stories.set(event.id, story);
    return story;
  }

  #storiesOf(subscription: string): Map<string, Story> {
    const stories = this.#stories.get(subscription) ?? new Map<string, Story>();
    this.#stories.set(subscription, stories);
    return stories;
  }
}
