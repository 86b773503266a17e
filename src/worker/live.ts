/**
 * A hub's socket held by the Worker: SSE and long polls follow a topic the way a browser does, so everything live takes
 * one path and the hub may sleep while they wait.
 */
import type { Failure } from "../core/errors.ts";
import type { FilterPattern } from "../core/filter-pattern.ts";
import { regionOf } from "../core/hub-place.ts";
import { LIMITS } from "../core/limits.ts";
import type { Principal } from "../core/principal.ts";
import { ok, type Result } from "../core/result.ts";
import type { UpgradeRefusal } from "../durable-objects/rpc/channel-hub.ts";
import type { Env } from "../env.ts";
import { enterHub } from "./hub-directory.ts";
import { reach } from "./reach.ts";
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

/** The upgrade in one of the app's hubs near the client that `asking` came from: its 101, or why it is not let in. */
export async function upgrade(
  env: Env,
  principal: Principal,
  asking: Request,
  subprotocol: string | null,
): Promise<Result<Response>> {
  const region = regionOf(asking.cf?.continent as string | undefined);
  const protocol = principal.kind === "pusher" ? "pusher" : "native";
  const entered = await reach(() =>
    enterHub(env, { app: principal.app, protocol, region }, async (hub) => {
      const response = await hub.fetch(upgradeRequest(principal, subprotocol));
      if (response.status === 101) return ok(response);
      const refusal = await response.json<UpgradeRefusal>();
      return refusal.kind === "full" ? null : { ok: false as const, failure: refusal.failure };
    }),
  );
  return entered.ok ? entered.value : entered;
}

export interface Follow {
  readonly topic: string;
  /** As in API.md: `earliest`, `cursor:…`. */
  readonly from: string;
  readonly filter: FilterPattern | null;
}

/** Acknowledged this often, the window stays open and the hub is not woken for every event. */
const ACK_FRAMES = LIMITS.ACK_WINDOW_FRAMES / 10;
const ACK_CHARS = LIMITS.ACK_WINDOW_BYTES / 4;

/** Messages of one followed topic, in order, until `close`. */
export class LiveReader {
  readonly #socket: WebSocket;
  #waiting: string[] = [];
  /** Of frames that were taken and not acknowledged. */
  #taken = { frames: 0, chars: 0 };
  #refusal: Failure | null = null;
  #wake: (() => void) | null = null;
  #closed = false;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", (message) => {
      this.#waiting.push(message.data as string);
      this.#wake?.();
    });
    socket.addEventListener("close", () => this.#end());
    socket.addEventListener("error", () => this.#end());
  }

  /** For the client that asks, whose signal aborts when it has gone: the hub then forgets this follower at once. */
  static async open(env: Env, principal: Principal, asking: Request, follow: Follow): Promise<Result<LiveReader>> {
    const response = await upgrade(env, principal, asking, null);
    if (!response.ok) return response;
    const socket = response.value.webSocket!;
    const reader = new LiveReader(socket);
    socket.accept();
    const { topic, from, filter } = follow;
    // Its reader is told of events only.
    socket.send(JSON.stringify({ op: "subscribe", topic, from, presence: false, ...(filter !== null && { filter }) }));
    asking.signal.addEventListener("abort", () => reader.close(), { once: true });
    if (asking.signal.aborted) reader.close();
    return ok(reader);
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
    if (this.#waiting.length === 0) return null;
    const frames = this.#waiting;
    this.#waiting = [];
    this.#taken.frames += frames.length;
    this.#taken.chars += frames.reduce((sum, frame) => sum + frame.length, 0);
    const messages = frames.flatMap(parseHubFrame);
    this.#refusal ??= refusalIn(messages);
    return messages;
  }

  /** The hub has ended the socket because the credential behind it has ended. */
  get refusal(): Failure | null {
    return this.#refusal;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** What was taken up to here has gone on to its reader. The hub is told when it is worth a message. */
  acknowledge(topic: string, cursor: string): void {
    const isWorthIt = this.#taken.frames >= ACK_FRAMES || this.#taken.chars >= ACK_CHARS;
    if (this.#closed || !isWorthIt) return;
    this.#socket.send(JSON.stringify({ op: "ack", topic, cursor }));
    this.#taken = { frames: 0, chars: 0 };
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

function refusalIn(messages: readonly HubMessage[]): Failure | null {
  const problems = messages.flatMap((message) => (message.op === "error" ? [message.problem] : []));
  const ended = problems.find(({ code }) => code === "credential_expired" || code === "credential_revoked");
  return ended === undefined ? null : { code: ended.code };
}
