/**
 * A hub's socket held by the Worker: SSE and long polls follow a topic the way a browser does, so everything live takes
 * one path and the hub may sleep while they wait.
 */
import type { FilterPattern } from "../core/filter.ts";
import type { Principal } from "../core/principal.ts";
import type { Env } from "../env.ts";
import { channelHub } from "../stubs.ts";
import { parseHubFrame, type HubMessage } from "../wire/native/hub-frames.ts";

export const PRINCIPAL_HEADER = "tidings-principal";
export const SUBPROTOCOL = "tidings.v1";

/** The upgrade as the hub gets it: a request of our own, so that no header of the client's reaches an object. */
export const upgradeRequest = (principal: Principal, subprotocol: string | null): Request =>
  new Request("https://hub.invalid/connect", {
    headers: {
      upgrade: "websocket",
      [PRINCIPAL_HEADER]: encodeURIComponent(JSON.stringify(principal)),
      ...(subprotocol === null ? {} : { "sec-websocket-protocol": subprotocol }),
    },
  });

export interface Follow {
  readonly topic: string;
  /** As in API.md: `earliest`, `cursor:…`. */
  readonly from: string;
  readonly filter: FilterPattern | null;
}

/** Messages of one followed topic, in order, until `close`. */
export class LiveReader {
  readonly #socket: WebSocket;
  readonly #waiting: HubMessage[] = [];
  #wake: (() => void) | null = null;
  #closed = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", (message) => {
      this.#waiting.push(...parseHubFrame(message.data as string));
      this.#wake?.();
    });
    socket.addEventListener("close", () => this.#end());
    socket.addEventListener("error", () => this.#end());
  }

  /** `hungUp` aborts when the client has gone, and the hub then forgets this follower at once. */
  static async open(env: Env, principal: Principal, follow: Follow, hungUp: AbortSignal): Promise<LiveReader> {
    const response = await channelHub(env, principal.app, "native").fetch(upgradeRequest(principal, null));
    const socket = response.webSocket;
    if (socket === null) throw new Error(`the hub refused an upgrade: ${response.status}`);
    const reader = new LiveReader(socket);
    socket.accept();
    const { topic, from, filter } = follow;
    socket.send(JSON.stringify({ op: "subscribe", topic, from, ...(filter !== null && { filter }) }));
    hungUp.addEventListener("abort", () => reader.close(), { once: true });
    if (hungUp.aborted) reader.close();
    return reader;
  }

  /** What has come since the last call; waits for a message first. Null when the socket has ended or time is up. */
  async next(waitMs: number): Promise<readonly HubMessage[] | null> {
    if (this.#waiting.length === 0 && !this.#closed) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#wake = null;
    }
    return this.#waiting.length === 0 ? null : this.#waiting.splice(0);
  }

  get closed(): boolean {
    return this.#closed;
  }

  acknowledge(topic: string, cursor: string): void {
    if (!this.#closed) this.#socket.send(JSON.stringify({ op: "ack", topic, cursor }));
  }

  close(): void {
    if (!this.#closed) this.#socket.close(1000);
    this.#end();
  }

  #end(): void {
    this.#closed = true;
    this.#wake?.();
  }
}
