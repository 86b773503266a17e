/** A user of a presence channel with one connection: it pings, answers, comes back, and notes when it saw what. */
import type { HubMessage } from "../harness/socket.ts";
import { eventually, pause } from "../harness/wait.ts";

export interface Sighting {
  readonly op: "member_added" | "member_removed";
  readonly id: string;
  readonly at: number;
}

const PING = '{"op":"ping"}';
const PING_EVERY_MS = 1_000;

export class Attendee {
  readonly id: string;
  readonly channel: string;
  /** In the order in which they came, over all its connections. */
  readonly sightings: Sighting[] = [];
  /** What no client may see: versions that do not grow, changes out of turn. */
  readonly faults: string[] = [];
  /** Since when it sees the members, on the connection that it has now; null: it does not. */
  seesSince: number | null = null;
  readonly #url: string;
  #members = new Set<string>();
  #version = 0;
  #socket: WebSocket | null = null;
  #pinging: NodeJS.Timeout | undefined;
  #wantsIn = false;

  constructor(id: string, url: string, channel: string) {
    this.id = id;
    this.#url = url;
    this.channel = channel;
  }

  get members(): string[] {
    return [...this.#members].toSorted();
  }

  /** Resolves when it is told who is here. Comes back by itself when the connection breaks, until it leaves. */
  async enter(): Promise<void> {
    this.#wantsIn = true;
    await this.#connect();
  }

  async #connect(): Promise<void> {
    const socket = new WebSocket(this.#url, "tidings.v1");
    this.#socket = socket;
    socket.addEventListener("open", () => {
      const subscribe = { op: "subscribe", topic: this.channel, presence: {} };
      socket.send(JSON.stringify(subscribe));
    });
    socket.addEventListener("message", ({ data }) => {
      if (this.#socket === socket) this.#receive(JSON.parse(String(data)) as HubMessage);
    });
    socket.addEventListener("close", () => this.#closed(socket));
    this.#pinging = setInterval(() => socket.readyState === WebSocket.OPEN && socket.send(PING), PING_EVERY_MS);
    await eventually(
      () => this.seesSince !== null || this.#socket !== socket,
      (ready) => ready,
      `${this.id} is told who is here`,
    );
  }

  #closed(socket: WebSocket): void {
    if (this.#socket !== socket) return;
    clearInterval(this.#pinging);
    this.#socket = null;
    this.seesSince = null;
    if (this.#wantsIn) void pause(100 + Math.random() * 400).then(() => this.#comeBack());
  }

  async #comeBack(): Promise<void> {
    if (this.#wantsIn) await this.#connect();
  }

  #receive(given: HubMessage | HubMessage[]): void {
    for (const message of [given].flat()) {
      if (message.op === "ping") this.#socket?.send(PING);
      else if (message.op === "error") this.faults.push(`${this.id}: ${JSON.stringify(message["problem"])}`);
      else if (message.op === "subscribed") this.#begin(message);
      else if (message.op.startsWith("member_")) this.#take(message);
    }
  }

  #begin(message: HubMessage): void {
    this.#members = new Set((message["members"] as { id: string }[]).map(({ id }) => id));
    this.#version = message["version"] as number;
    this.seesSince = Date.now();
    if (!this.#members.has(this.id)) this.faults.push(`${this.id} is not among those it was shown`);
  }

  #take({ op, member, version }: HubMessage): void {
    const { id } = member as { id: string };
    const isAdded = op === "member_added";
    if ((version as number) <= this.#version) this.faults.push(`${this.id}: version ${version} after ${this.#version}`);
    if (this.#members.has(id) === isAdded) this.faults.push(`${this.id}: ${op} of ${id} out of turn`);
    this.#version = version as number;
    if (isAdded) this.#members.add(id);
    else this.#members.delete(id);
    this.sightings.push({ op: op as Sighting["op"], id, at: Date.now() });
  }

  /** Leaves by unsubscribing or by closing. */
  leave(how: "unsubscribe" | "close"): void {
    const socket = this.#stop();
    if (how === "unsubscribe") socket?.send(JSON.stringify({ op: "unsubscribe", topic: this.channel }));
    else socket?.close(1_000);
  }

  /** From now on nothing is heard of it, though its connection stays. */
  fallSilent(): void {
    this.#stop();
  }

  #stop(): WebSocket | null {
    this.#wantsIn = false;
    clearInterval(this.#pinging);
    const socket = this.#socket;
    this.#socket = null;
    this.seesSince = null;
    return socket;
  }
}
