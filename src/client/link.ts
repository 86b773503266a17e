/**
 * One WebSocket that comes back: connect, keep alive, renew the token, and after a loss connect again. What is followed
 * on it stands in its channels, which join again whenever the hub says welcome.
 */
import type { Asked, Channel, ConnectionState, Line } from "./channel.ts";
import { asError, refusalOf, TidingsError } from "./client-error.ts";
import type { Credentials } from "./credentials.ts";
import { PING, type ClientMessage, type HubMessage, type TopicMessage } from "./messages.ts";
import { backoffMs, type Clock, type Socket, type SocketClass } from "./platform.ts";
import type { Requests } from "./requests.ts";

export interface LinkPorts {
  /** Of the socket, without the token. */
  readonly address: string;
  readonly WebSocket: SocketClass;
  readonly clock: Clock;
  readonly credentials: Credentials;
  readonly requests: Requests;
  turned(link: Link, error: TidingsError | null): void;
  failed(error: TidingsError): void;
}

const WELCOME_WITHIN_MS = 15_000;
const PING_EVERY_MS = 25_000;
const PONG_WITHIN_MS = 10_000;
/** Of a page that woke: it shall not look dead for longer. */
const PONG_SOON_MS = 5_000;
/** A timer that comes so late was asleep with its page: what the hub said meanwhile has not been read yet. */
const ASLEEP_MS = 3_000;
/** A connection that held for so long was a good one, and the next try after it is a first. */
const STEADY_MS = 10_000;
const RENEW_MS_MIN = 5_000;
/** Of a token's life. */
const RENEW_AFTER = 0.7;
const ACK_CHARS = 256 * 1_024;

export class Link implements Line {
  state: ConnectionState = "connecting";
  /** The hub's name for this connection; empty while there is none. */
  connection = "";
  readonly channels = new Map<string, Channel>();
  readonly #ports: LinkPorts;
  #socket: Socket | null = null;
  #asked = new Map<number, Asked>();
  #refs = 0;
  #tries = 0;
  #openedAt = 0;
  /** The last word without a `ref`: why the hub is about to close or to end a topic. */
  #problem: TidingsError | null = null;
  #heard = false;
  #ackFrames = Infinity;
  #unread = { frames: 0, chars: 0 };
  /** The next ping, judgement or try. */
  #cancelTimer = (): void => {};
  #cancelRenewal = (): void => {};

  constructor(ports: LinkPorts) {
    this.#ports = ports;
    void this.#connect();
  }

  /** Sends a message whose answer carries its `ref`. On a link that is not open it fails at once. */
  ask(message: ClientMessage, asked: Asked): void {
    if (this.state !== "open") return asked.failed(new TidingsError("connection_lost"));
    this.#refs += 1;
    this.#asked.set(this.#refs, asked);
    return this.#send({ ...message, ref: this.#refs });
  }

  /** Is the other side still there? Asked when a page wakes; one that waits for its next try makes it now. */
  wake(): void {
    if (this.state === "open") this.#ping(PONG_SOON_MS);
    else if (this.state === "lost") void this.#connect();
  }

  /** For good. */
  close(error: TidingsError | null = null): void {
    if (this.state === "closed") return;
    this.#leave(1_000);
    this.#turn("closed", error);
    const reason = error ?? new TidingsError("hub_closed");
    for (const asked of this.#asked.values()) asked.failed(reason);
    for (const channel of this.channels.values()) channel.fail(reason);
  }

  async #connect(): Promise<void> {
    const { address, WebSocket, clock, credentials } = this.#ports;
    this.#leave();
    this.#turn("connecting");
    try {
      const token = await credentials.current();
      if (this.state !== "connecting" || this.#socket !== null) return;
      const socket = new WebSocket(`${address}?token=${encodeURIComponent(token)}`, "tidings.v1");
      this.#socket = socket;
      socket.addEventListener("message", ({ data }) => this.#socket === socket && this.#receive(String(data)));
      socket.addEventListener("close", ({ code }) => this.#socket === socket && this.#lose(Number(code)));
      this.#cancelTimer = clock.after(WELCOME_WITHIN_MS, () => this.#lose(1_006));
    } catch (error) {
      this.#ports.failed(asError(error, "network_failed"));
      this.#lose(1_006);
    }
  }

  /** Lets go of the socket, and of whatever it still says. */
  #leave(code?: number): void {
    this.#cancelTimer();
    this.#cancelRenewal();
    const socket = this.#socket;
    this.#socket = null;
    this.connection = "";
    socket?.close(code);
  }

  #lose(code: number): void {
    const { clock, credentials } = this.#ports;
    if (this.state === "closed") return;
    const problem = this.#problem;
    this.#problem = null;
    if (code >= 4_500 && code < 5_000) return this.close(problem ?? new TidingsError("unsubscribed", HOPELESS));
    if (code === 4_401 && !credentials.canRenew) return this.close(problem);
    if (code === 4_401) credentials.renew();
    if (problem !== null) this.#ports.failed(problem);
    const wasOpen = this.state === "open";
    const heldMs = wasOpen ? clock.now() - this.#openedAt : 0;
    this.#tries = heldMs > STEADY_MS ? 0 : this.#tries + 1;
    this.#leave();
    this.#turn("lost");
    const asked = [...this.#asked.values()];
    this.#asked.clear();
    for (const { failed } of asked) failed(new TidingsError("connection_lost"));
    const waitMs = Math.max(problem?.retryAfterMs ?? 0, backoffMs(clock, Math.max(0, this.#tries - 1)));
    this.#cancelTimer = clock.after(waitMs, () => void this.#connect());
    if (!wasOpen) void this.#learnWhy();
  }

  /** A browser is not told why an upgrade was refused; the same address says so to a request without one. */
  async #learnWhy(): Promise<void> {
    const refusal = await this.#ports.requests.ask("GET", "/v1/connect").catch((error: unknown) => error);
    const isFinal = refusal instanceof TidingsError && !refusal.retryable && refusal.code !== "upgrade_required";
    if (isFinal && this.state !== "open") this.close(refusal);
  }

  #turn(state: ConnectionState, error: TidingsError | null = null): void {
    this.state = state;
    if (state === "lost") for (const channel of this.channels.values()) channel.lose();
    this.#ports.turned(this, error);
  }

  #receive(text: string): void {
    this.#heard = true;
    const frame = JSON.parse(text) as HubMessage | HubMessage[];
    let last: { topic: string; cursor: string } | null = null;
    for (const message of Array.isArray(frame) ? frame : [frame]) {
      this.#take(message);
      if (message.op === "event") last = message;
    }
    if (last === null) return;
    this.#unread.frames += 1;
    this.#unread.chars += text.length;
    if (this.#unread.frames < this.#ackFrames && this.#unread.chars < ACK_CHARS) return;
    this.#unread = { frames: 0, chars: 0 };
    if (this.#ackFrames < Infinity) this.#send({ op: "ack", topic: last.topic, cursor: last.cursor });
  }

  #take(message: HubMessage): void {
    const asked = message.ref === undefined ? undefined : this.#asked.get(message.ref);
    if (asked !== undefined) this.#asked.delete(message.ref!);
    if (message.op === "error") {
      const error = refusalOf(message.problem, message.retryAfterSeconds);
      if (asked !== undefined) return asked.failed(error);
      this.#problem = error;
      return;
    }
    if (asked !== undefined) return asked.answered(message);
    if (message.op === "welcome") return this.#open(message);
    if (message.op !== "unsubscribed")
      return this.channels.get((message as TopicMessage).topic)?.receive(message as TopicMessage);
    this.channels.get(message.topic)?.fail(this.#problem ?? new TidingsError("unsubscribed"));
    this.#problem = null;
  }

  #open({ connection, expiresInSeconds, ackWindow }: Extract<HubMessage, { op: "welcome" }>): void {
    this.connection = connection;
    this.#openedAt = this.#ports.clock.now();
    // A tenth of the window, so that the hub is told in time and not for every event.
    this.#ackFrames = ackWindow === undefined ? Infinity : Math.ceil(ackWindow / 10);
    this.#unread = { frames: 0, chars: 0 };
    this.#turn("open");
    this.#pingLater(PING_EVERY_MS);
    this.#renewIn(expiresInSeconds);
    for (const channel of this.channels.values()) channel.join();
  }

  #pingLater(ms: number): void {
    this.#cancelTimer();
    this.#cancelTimer = this.#ports.clock.after(ms, () => this.#ping(PONG_WITHIN_MS));
  }

  #ping(withinMs: number): void {
    const { clock } = this.#ports;
    const due = clock.now() + withinMs;
    this.#heard = false;
    this.#socket?.send(PING);
    this.#cancelTimer();
    this.#cancelTimer = clock.after(withinMs, () => {
      if (this.#heard) return this.#pingLater(PING_EVERY_MS);
      return clock.now() > due + ASLEEP_MS ? this.#ping(PONG_SOON_MS) : this.#lose(1_006);
    });
  }

  /** A socket outlives its first token: a fresh one is shown on it. The hub says how long; clocks here may be wrong. */
  #renewIn(expiresInSeconds: number | undefined): void {
    const { clock, credentials } = this.#ports;
    if (expiresInSeconds === undefined || !credentials.canRenew) return;
    const waitMs = Math.max(RENEW_MS_MIN, expiresInSeconds * 1_000 * RENEW_AFTER);
    this.#cancelRenewal = clock.after(waitMs, () => void this.#renew(expiresInSeconds - waitMs / 1_000));
  }

  async #renew(secondsLeft: number): Promise<void> {
    const { credentials, failed } = this.#ports;
    const socket = this.#socket;
    credentials.renew();
    const again = (error: unknown): void => {
      failed(asError(error, "token_unavailable"));
      if (this.#socket === socket) this.#renewIn(secondsLeft);
    };
    try {
      const token = await credentials.current();
      if (this.#socket !== socket) return;
      this.ask(
        { op: "refresh", token },
        { answered: (message) => this.#renewIn((message as Refreshed).expiresInSeconds), failed: again },
      );
    } catch (error) {
      again(error);
    }
  }

  #send(message: object): void {
    this.#socket?.send(JSON.stringify(message));
  }
}

type Refreshed = Extract<HubMessage, { op: "refreshed" }>;

const HOPELESS = { retryable: false };
