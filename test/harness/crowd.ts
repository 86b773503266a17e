/**
 * Thousands of followers of one topic in one process: raw sockets that keep no message, only what tells whether
 * something is missing, doubled or out of order. The topic has one partition.
 */
import { request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import { formatTextFrame, OPCODE, readFrames } from "../../bench/client/frames.ts";
import { eventually, pause } from "./wait.ts";

const OPENING_AT_ONCE = 50;
const COME_BACK_MS = 1_000;

export interface CrowdOptions {
  readonly url: string;
  readonly token: string;
  readonly topic: string;
  /** Acknowledge after so many bytes; without it never. */
  readonly ackBytes?: number;
}

export class Crowd {
  readonly members: readonly CrowdMember[];

  static async open(count: number, options: CrowdOptions): Promise<Crowd> {
    const members = Array.from({ length: count }, () => new CrowdMember(options));
    for (let opened = 0; opened < count; opened += OPENING_AT_ONCE) {
      await Promise.all(members.slice(opened, opened + OPENING_AT_ONCE).map((member) => member.follow()));
    }
    return new Crowd(members);
  }

  private constructor(members: readonly CrowdMember[]) {
    this.members = members;
  }

  /** Every member has got this offset; fails early when one has seen something wrong. */
  async reached(offset: number, withinMs: number): Promise<void> {
    await eventually(
      () => ({ behind: this.members.filter(({ last }) => last < offset).length, wrong: this.wrong }),
      ({ behind, wrong }) => behind === 0 || wrong.length > 0,
      `everybody at ${offset}`,
      withinMs,
    );
  }

  /** What members saw that they must not see. */
  get wrong(): readonly string[] {
    return this.members.flatMap(({ wrong }) => (wrong === null ? [] : [wrong]));
  }

  close(): void {
    for (const member of this.members) member.close();
  }
}

/** Comes back with its cursor whenever its socket ends. */
export class CrowdMember {
  /** The offset of the last event. */
  last = 0;
  wrong: string | null = null;
  /** How often it was cut off. */
  ends = 0;
  /** Of events, since it followed or acknowledged. */
  unacknowledgedBytes = 0;
  readonly #options: CrowdOptions;
  #socket: Socket | null = null;
  #cursor: string | null = null;
  #rest: Buffer = Buffer.alloc(0);
  #isOver = false;
  #subscribed: () => void = () => undefined;
  #ponged: () => void = () => undefined;

  constructor(options: CrowdOptions) {
    this.#options = options;
  }

  /** Resolves when the hub says that it follows. */
  async follow(): Promise<void> {
    const { socket, head } = await upgrade(this.#options);
    const subscribed = new Promise<void>((resolve) => (this.#subscribed = resolve));
    this.#socket = socket;
    this.#rest = head;
    this.unacknowledgedBytes = 0;
    socket.on("data", (chunk: Buffer) => this.#receive(chunk));
    socket.on("error", () => undefined); // Its end follows.
    socket.once("close", () => this.#comeBack());
    const from = this.#cursor === null ? "latest" : `cursor:${this.#cursor}`;
    this.#send({ op: "subscribe", topic: this.#options.topic, from });
    await subscribed;
  }

  /** Takes nothing from the network any more, as a reader that hangs. */
  stall(): void {
    this.#socket!.pause();
  }

  resume(): void {
    this.#socket!.resume();
  }

  /** Resolves when everything has arrived that the hub has sent up to now: a pong keeps its place behind it. */
  async heard(): Promise<void> {
    const pong = new Promise<void>((resolve) => (this.#ponged = resolve));
    this.#socket!.write(PING);
    await pong;
  }

  acknowledge(): void {
    this.unacknowledgedBytes = 0;
    this.#send({ op: "ack", topic: this.#options.topic, cursor: this.#cursor });
  }

  close(): void {
    this.#isOver = true;
    this.#socket?.destroy();
  }

  #send(message: object): void {
    this.#socket!.write(formatTextFrame(JSON.stringify(message)));
  }

  #comeBack(): void {
    if (this.#isOver) return;
    this.ends += 1;
    this.#followAgain();
  }

  /** Not all at once, and not without a pause: whoever restarts needs the processor as well. */
  #followAgain(): void {
    if (this.#isOver) return;
    void pause(Math.random() * COME_BACK_MS).then(() => this.follow().catch(() => this.#followAgain()));
  }

  #receive(chunk: Buffer): void {
    const { frames, rest } = readFrames(this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]));
    this.#rest = Buffer.from(rest);
    for (const { opcode, payload } of frames) {
      if (opcode === OPCODE.close) return void this.#socket!.destroy();
      if (opcode === OPCODE.text) this.#read(payload.toString("utf8"));
    }
  }

  #read(text: string): void {
    if (text === '{"op":"pong"}') return this.#ponged();
    if (text.includes('"op":"gap"') || text.includes('"op":"error"')) this.wrong ??= text.slice(0, 300);
    let events = 0;
    for (const [, cursor, offset] of text.matchAll(EVENT)) {
      events += 1;
      if (Number(offset) !== this.last + 1) this.wrong ??= `${offset} after ${this.last}`;
      this.last = Number(offset);
      this.#cursor = cursor!;
    }
    if (text.includes('"op":"subscribed"')) {
      this.#cursor ??= CURSOR.exec(text)![1]!;
      this.#subscribed();
    }
    if (events === 0) return;
    this.unacknowledgedBytes += text.length;
    if (this.unacknowledgedBytes >= (this.#options.ackBytes ?? Infinity)) this.acknowledge();
  }
}

const PING = formatTextFrame('{"op":"ping"}');
const EVENT = /"op":"event","topic":"[^"]*","cursor":"([^"]*)","event":\{.*?"offset":(\d+)/g;
const CURSOR = /"cursor":"([^"]*)"/;

function upgrade({ url, token }: CrowdOptions): Promise<{ socket: Socket; head: Buffer }> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(`${url}/v1/connect?token=${token}`, {
      agent: false,
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGlkaW5ncy10ZXN0LWNyb3dk",
        "sec-websocket-protocol": "tidings.v1",
      },
    });
    request.on("upgrade", (_response, socket, head) => resolve({ socket: socket as Socket, head }));
    request.on("response", (response) => reject(new Error(`the upgrade answered ${response.statusCode}`)));
    request.on("error", reject);
    request.end();
  });
}
