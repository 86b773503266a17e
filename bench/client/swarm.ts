/** Many sockets on one topic, counted and timed together. */
import { request as httpRequest } from "node:http";
import type { Socket } from "node:net";
import type { Side } from "../sides/side.ts";
import { Arrivals, type Audience } from "./arrivals.ts";
import { formatTextFrame, OPCODE, readFrames } from "./frames.ts";

const OPENING_AT_ONCE = 50;
const ACK_EVENTS = 100;

interface Connection {
  readonly socket: Socket;
  rest: Buffer;
  eventsUnacknowledged: number;
}

export class Swarm implements Audience {
  readonly #side: Side;
  readonly #topic: string;
  readonly #connections: Connection[] = [];
  readonly #arrivals = new Arrivals();
  #isClosing = false;

  static async open(side: Side, topic: string, sockets: number): Promise<Swarm> {
    const swarm = new Swarm(side, topic);
    for (let opened = 0; opened < sockets; opened += OPENING_AT_ONCE) {
      const group = Math.min(OPENING_AT_ONCE, sockets - opened);
      await Promise.all(Array.from({ length: group }, () => swarm.#open()));
    }
    return swarm;
  }

  private constructor(side: Side, topic: string) {
    this.#side = side;
    this.#topic = topic;
  }

  get size(): number {
    return this.#connections.length;
  }

  reset(): void {
    this.#arrivals.reset();
  }

  received(events: number): Promise<readonly number[]> {
    return this.#arrivals.received(events);
  }

  /** Takes nothing from the network any more, as readers that hang. */
  stall(): void {
    for (const { socket } of this.#connections) socket.pause();
  }

  close(): void {
    this.#isClosing = true;
    for (const { socket } of this.#connections) socket.destroy();
  }

  async #open(): Promise<void> {
    const { socket, head } = await upgrade(this.#side, this.#topic);
    const connection = { socket, rest: head, eventsUnacknowledged: 0 };
    const subscribe = this.#side.dialect.socket.subscribe?.(this.#topic);
    if (subscribe !== undefined) await this.#subscribe(connection, subscribe.frame, subscribe.answer);
    socket.on("data", (chunk: Buffer) => this.#receive(connection, chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("a socket was closed")));
    this.#connections.push(connection);
  }

  async #subscribe(connection: Connection, frame: string, answer: string): Promise<void> {
    const answered = new Promise<void>((resolve, reject) => {
      const { socket } = connection;
      const look = (chunk: Buffer): void => {
        connection.rest = Buffer.concat([connection.rest, chunk]);
        const text = connection.rest.toString("utf8");
        if (text.includes('"error"')) reject(new Error(`the subscription was refused: ${text}`));
        if (!text.includes(answer)) return;
        socket.off("data", look);
        connection.rest = readFrames(connection.rest).rest;
        resolve();
      };
      socket.on("data", look);
      socket.once("close", () => reject(new Error(`closed while subscribing: ${connection.rest.toString("utf8")}`)));
    });
    connection.socket.write(formatTextFrame(frame));
    await answered;
  }

  #receive(connection: Connection, chunk: Buffer): void {
    const now = performance.now();
    const bytes = connection.rest.length === 0 ? chunk : Buffer.concat([connection.rest, chunk]);
    const { frames, rest } = readFrames(bytes);
    connection.rest = rest;
    for (const { opcode, payload } of frames) {
      if (opcode === OPCODE.close) this.#fail(new Error(`closed: ${payload.subarray(2).toString("utf8")}`));
      if (opcode !== OPCODE.text) continue;
      connection.eventsUnacknowledged += this.#arrivals.take(payload, now);
      if (connection.eventsUnacknowledged >= ACK_EVENTS) this.#acknowledge(connection, payload);
    }
    this.#arrivals.wake();
  }

  #acknowledge(connection: Connection, frame: Buffer): void {
    const text = this.#side.dialect.socket.acknowledge(this.#topic, frame);
    if (text === null) return;
    connection.socket.write(formatTextFrame(text));
    connection.eventsUnacknowledged = 0;
  }

  #fail(error: Error): void {
    if (!this.#isClosing) this.#arrivals.fail(error);
  }
}

function upgrade(side: Side, topic: string): Promise<{ socket: Socket; head: Buffer }> {
  const { path, protocol } = side.dialect.socket;
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      hostname: side.http.url.hostname,
      port: side.http.url.port,
      path: path(topic),
      agent: false,
      headers: {
        connection: "Upgrade",
        upgrade: "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGlkaW5ncy1iZW5jaC0xMg==",
        ...(protocol === null ? {} : { "sec-websocket-protocol": protocol }),
      },
    });
    request.on("upgrade", (_response, socket, head) => {
      (socket as Socket).setNoDelay(true);
      resolve({ socket: socket as Socket, head });
    });
    request.on("response", (response) => reject(new Error(`the upgrade answered ${response.statusCode}`)));
    request.on("error", reject);
    request.end();
  });
}
