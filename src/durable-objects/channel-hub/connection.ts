/** One socket, and how much of what it was sent it has not acknowledged. */
import { fullAllowance, spend, type Allowance } from "../../core/allowance.ts";
import type { Failure } from "../../core/errors.ts";
import { connectionMark } from "../../core/exclusion.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Principal } from "../../core/principal.ts";
import type { Counter } from "../../observability/meter.ts";
import type { Said } from "./dialect.ts";

/** Events of one topic, ready to be sent. */
export interface EventFrame {
  readonly text: string;
  /** Of its last event. */
  readonly offset: number;
  /** The sum of its last cursor's offsets, which only grows along one topic. */
  readonly total: number;
}

/** A frame under way. */
interface SentFrame {
  /** Null: the hub's own ping. */
  readonly topic: string | null;
  readonly total: number;
  readonly bytes: number;
}

const PROBE_FRAMES = LIMITS.ACK_WINDOW_FRAMES / 4;
const PROBE_BYTES = LIMITS.ACK_WINDOW_BYTES / 4;

/** Of all that the hub sends. */
export interface SentCounters {
  readonly frames: Counter;
  readonly bytes: Counter;
}

/** Frames that came in and are not done with. */
export interface Backlog {
  frames: number;
  bytes: number;
}

/**
 * The window is heap only: an object is not evicted while a socket has output waiting, and one that was evicted all the
 * same begins a new window, so what a stalled reader can hold stays bounded.
 */
export class Connection {
  readonly id: string;
  /** A `refresh` replaces it; only HubState.authorize does. */
  principal: Principal;
  readonly socket: WebSocket;
  /** Since when the window has been full, milliseconds; null: it is not. */
  stalledSince: number | null = null;
  /** When it said something last, a ping excepted, milliseconds; and up to when its attachment knows that. */
  heardAt = 0;
  heardNotedAt = 0;
  #last: Promise<void> = Promise.resolve();
  #waiting: Backlog = { frames: 0, bytes: 0 };
  readonly #hubWaiting: Backlog;
  #mark: string | null = null;
  #sent: SentFrame[] = [];
  #sentBytes = 0;
  #frames: Allowance | null = null;
  #clientEvents: Allowance | null = null;
  /** What was sent without a window since the client was last heard of. */
  #unheard = { bytes: 0, since: 0 };
  readonly #probe: string | null;
  readonly #counters: SentCounters | null;
  /** Since the last ping of the hub's own. */
  #unprobed = { frames: 0, bytes: 0 };

  /** `hubWaiting` is shared by all connections of the hub; `probe`: what asks how far the reader is. */
  constructor(
    socket: WebSocket,
    id: string,
    principal: Principal,
    hubWaiting: Backlog,
    probe: string | null = null,
    counters: SentCounters | null = null,
  ) {
    this.socket = socket;
    this.id = id;
    this.principal = principal;
    this.#hubWaiting = hubWaiting;
    this.#probe = probe;
    this.#counters = counters;
  }

  /** By which events say that this connection is not sent them (core/exclusion.ts). */
  get mark(): string {
    return (this.#mark ??= connectionMark(this.id));
  }

  /** Counts a frame that came in; false: the client sends faster than it may. Heap only: an eviction gives a rest. */
  takeFrame(now: number): boolean {
    this.#unheard = { bytes: 0, since: now };
    const quota = this.principal.quotas.framesPerSecond;
    const rate = { perSecond: this.#framesPerSecond, burst: quota ?? LIMITS.SOCKET_FRAMES_BURST_MAX };
    const left = spend(this.#frames ?? fullAllowance(rate, now), rate, now);
    this.#frames = left ?? this.#frames;
    return left !== null;
  }

  /** Counts a client event; false: it is one too many for now. Heap only, like the frames. */
  takeClientEvent(now: number): boolean {
    const left = spend(this.#clientEvents ?? fullAllowance(CLIENT_EVENT_RATE, now), CLIENT_EVENT_RATE, now);
    this.#clientEvents = left ?? this.#clientEvents;
    return left !== null;
  }

  get #framesPerSecond(): number {
    return this.principal.quotas.framesPerSecond ?? LIMITS.SOCKET_FRAMES_PER_SECOND_DEFAULT;
  }

  /** What is said to a client that does. */
  get tooFast(): Failure {
    const detail = "The connection sends more frames a second than it may.";
    return { code: "too_many_frames", detail, limit: this.#framesPerSecond, retryAfterSeconds: 1 };
  }

  /**
   * Does the work of one frame after that of the frames before it: the runtime hands the next one over while the last
   * still waits for a log. Answers a failure, and does nothing, when too much waits already.
   */
  async inOrder(bytes: number, work: () => Promise<void>): Promise<Failure | null> {
    const refusal = this.#refuseWaiting(bytes);
    if (refusal !== null) return refusal;
    this.#count(1, bytes);
    const done = this.#last.then(work);
    this.#last = done.catch(() => undefined);
    try {
      await done;
    } finally {
      this.#count(-1, -bytes);
    }
    return null;
  }

  #refuseWaiting(bytes: number): Failure | null {
    if (this.#waiting.frames >= LIMITS.WAITING_FRAMES_MAX) return exceeded(LIMITS.WAITING_FRAMES_MAX);
    if (this.#waiting.bytes + bytes > LIMITS.WAITING_BYTES_MAX) return exceeded(LIMITS.WAITING_BYTES_MAX);
    const isHubFull = this.#hubWaiting.bytes + bytes > LIMITS.HUB_WAITING_BYTES_MAX;
    return isHubFull ? exceeded(LIMITS.HUB_WAITING_BYTES_MAX) : null;
  }

  #count(frames: number, bytes: number): void {
    for (const backlog of [this.#waiting, this.#hubWaiting]) {
      backlog.frames += frames;
      backlog.bytes += bytes;
    }
  }

  get hasRoom(): boolean {
    return this.#sent.length < LIMITS.ACK_WINDOW_FRAMES && this.#sentBytes < LIMITS.ACK_WINDOW_BYTES;
  }

  /** Sends what needs no acknowledgement. A socket that is closing swallows it. */
  send(text: Said): void {
    if (text === null) return;
    try {
      this.socket.send(text);
      if (this.#counters === null) return;
      this.#counters.frames.value += 1;
      this.#counters.bytes.value += text.length;
    } catch {
      // Its close handler is on the way and does what is left to do.
    }
  }

  /**
   * Sends what may be lost and is never acknowledged; `pingedAt`: when the client's last ping was answered. To one that
   * is not heard of it is not sent without an end: false.
   */
  sendUnacknowledged(text: string, pingedAt: number): boolean {
    if (pingedAt > this.#unheard.since) this.#unheard = { bytes: 0, since: pingedAt };
    if (this.#unheard.bytes > LIMITS.UNHEARD_BYTES_MAX) return false;
    this.#unheard.bytes += text.length;
    this.send(text);
    return true;
  }

  /** Sends frames for as long as the window has room, and answers how many: the last one may pass its bytes. */
  sendEvents(topic: string, frames: readonly EventFrame[]): number {
    let sent = 0;
    while (sent < frames.length && this.hasRoom) {
      const { text, total } = frames[sent]!;
      this.#sent.push({ topic, total, bytes: text.length });
      this.#sentBytes += text.length;
      this.send(text);
      this.#probeAfter(text.length);
      sent += 1;
    }
    return sent;
  }

  /** Asks now and then whether what was sent has arrived, long before the window is full. */
  #probeAfter(bytes: number): void {
    if (this.#probe === null) return;
    this.#unprobed.frames += 1;
    this.#unprobed.bytes += bytes;
    if (this.#unprobed.frames < PROBE_FRAMES && this.#unprobed.bytes < PROBE_BYTES) return;
    this.#unprobed = { frames: 0, bytes: 0 };
    this.#sent.push({ topic: null, total: 0, bytes: 0 });
    this.send(this.#probe);
  }

  /** Asks whether anybody is there. Where the hub's own pings acknowledge, the answer to this one does as well. */
  askIfThere(probe: string): void {
    if (this.#probe !== null) this.#sent.push({ topic: null, total: 0, bytes: 0 });
    this.send(probe);
  }

  /** The oldest ping was answered: all that was sent before it has arrived. */
  acknowledgeProbe(): void {
    this.#forgetSent(this.#sent.findIndex(({ topic }) => topic === null));
  }

  /** Everything up to that point of the topic has arrived, and with it all that was sent before it. */
  acknowledge(topic: string, total: number): void {
    const last = this.#sent.findLastIndex((frame) => frame.topic === topic && frame.total <= total);
    this.#forgetSent(last);
  }

  /** Up to and including that place. */
  #forgetSent(last: number): void {
    for (const frame of this.#sent.slice(0, last + 1)) this.#sentBytes -= frame.bytes;
    this.#sent = this.#sent.slice(last + 1);
    if (this.hasRoom) this.stalledSince = null;
  }
}

const CLIENT_EVENT_RATE = { perSecond: LIMITS.CLIENT_EVENTS_PER_SECOND, burst: LIMITS.CLIENT_EVENTS_PER_SECOND };

const exceeded = (limit: number): Failure => ({ code: "too_many_frames", limit, retryAfterSeconds: 1 });
