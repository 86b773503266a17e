/** The events of some topics as they happen, over one WebSocket. Enough for a story; the page resumes after a drop. */

export interface LiveEvent {
  readonly id: string;
  readonly topic: string;
  readonly offset: number;
  readonly partitionkey?: string;
}

interface Message {
  readonly op: string;
  readonly topic?: string;
  readonly event?: LiveEvent;
}

export class LiveEvents {
  readonly received: LiveEvent[] = [];
  readonly #socket: WebSocket;

  /** Resolves when every topic is followed from now on. */
  static open(hub: string, key: string, topics: readonly string[]): Promise<LiveEvents> {
    const address = `${hub.replace(/^http/, "ws")}/v1/connect?token=${encodeURIComponent(key)}`;
    const live = new LiveEvents(new WebSocket(address, "tidings.v1"));
    return live.#follow(topics);
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
  }

  close(): void {
    this.#socket.close(1000);
  }

  #follow(topics: readonly string[]): Promise<LiveEvents> {
    const waiting = new Set(topics);
    return new Promise((resolve, reject) => {
      this.#socket.addEventListener("close", () => reject(new Error("the hub closed the WebSocket")));
      this.#socket.addEventListener("message", ({ data }) => {
        const frame = JSON.parse(String(data)) as Message | Message[];
        for (const message of Array.isArray(frame) ? frame : [frame]) {
          if (message.op === "welcome") this.#subscribe(topics);
          if (message.op === "event") this.received.push(message.event!);
          if (message.op === "subscribed") waiting.delete(message.topic!);
        }
        if (waiting.size === 0) resolve(this);
      });
    });
  }

  #subscribe(topics: readonly string[]): void {
    this.#socket.send(JSON.stringify(topics.map((topic) => ({ op: "subscribe", ref: topic, topic, from: "latest" }))));
  }
}
