/** A Pusher connection that says what a test says and nothing else: pusher-js answers, pings and comes back by itself. */
import type PusherServer from "pusher";
import type { Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";
import type { Says } from "./pusher.ts";

interface Frame {
  readonly event: string;
  readonly data: unknown;
}

export class RawPusher {
  readonly frames: Frame[] = [];
  readonly #socket: WebSocket;
  #closed: number | null = null;

  static async open(hub: Hub, key: string): Promise<RawPusher> {
    const client = new RawPusher(new WebSocket(`${hub.url.replace("http", "ws")}/app/${key}?protocol=7`));
    await client.of("pusher:connection_established");
    return client;
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data: text }) => {
      const { event, data } = JSON.parse(text as string) as Frame;
      this.frames.push({ event, data: typeof data === "string" ? JSON.parse(data) : data });
    });
    socket.addEventListener("close", ({ code }) => {
      this.#closed = code;
    });
  }

  get socketId(): string {
    return (this.frames[0]!.data as { socket_id: string }).socket_id;
  }

  send(event: string, data: unknown): void {
    this.#socket.send(JSON.stringify({ event, data }));
  }

  /** The data of the frames of that event, once there are so many. */
  async of(event: string, count = 1): Promise<unknown[]> {
    const found = (): unknown[] => this.frames.filter((frame) => frame.event === event).map(({ data }) => data);
    await eventually(
      () => this.frames.slice(-5),
      () => found().length >= count,
      `${count} of ${event}`,
    );
    return found();
  }

  /** As the app's server signs it. Resolves when the hub has said yes for the `times`th time. */
  async signIn(server: PusherServer, user: NonNullable<Says["user"]>, times = 1): Promise<void> {
    this.send("pusher:signin", server.authenticateUser(this.socketId, user as never));
    await this.of("pusher:signin_success", times);
  }

  /** What was said of the watchlist, in order: `online ann,bob`. */
  get watched(): string[] {
    return this.frames
      .filter(({ event }) => event === "pusher_internal:watchlist_events")
      .flatMap(({ data }) => (data as { events: { name: string; user_ids: string[] }[] }).events)
      .map(({ name, user_ids: users }) => `${name} ${users.join()}`);
  }

  untilWatched(said: readonly string[]): Promise<unknown> {
    return eventually(
      () => this.watched,
      (watched) => watched.length >= said.length,
      said.join("; "),
    );
  }

  /** The code with which it was closed. */
  async closed(): Promise<number> {
    return (await eventually(
      () => this.#closed,
      (code) => code !== null,
      "its close",
    ))!;
  }

  close(): void {
    this.#socket.close(1_000);
  }
}
