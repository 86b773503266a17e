/**
 * Follows topics over one WebSocket. After a drop it connects again and resumes each topic from the last cursor it saw:
 * what happened in between comes first, once and in order.
 */
const WAIT_MS_MIN = 500;
const WAIT_MS_MAX = 8_000;
const ACK_EVERY = 100;

export class LiveTopics {
  #address;
  #positions;
  #shows;
  #waitMs = WAIT_MS_MIN;
  #unacknowledged = 0;

  /**
   * @param {string} address
   * @param {ReadonlyMap<string, string>} positions where each topic begins: `offset:12`, `earliest`
   * @param {{ events(messages: object[]): void, gap(message: object): void, state(state: string): void }} shows
   */
  constructor(address, positions, shows) {
    this.#address = address;
    this.#positions = new Map(positions);
    this.#shows = shows;
    this.#connect();
  }

  #connect() {
    this.#shows.state("connecting");
    const socket = new WebSocket(this.#address, "tidings.v1");
    socket.addEventListener("message", ({ data }) => this.#receive(socket, data));
    socket.addEventListener("close", () => this.#lost());
  }

  #receive(socket, data) {
    const frame = JSON.parse(data);
    const messages = Array.isArray(frame) ? frame : [frame];
    const events = messages.filter(({ op }) => op === "event");
    for (const message of messages) this.#note(socket, message);
    if (events.length > 0) this.#shows.events(events);
    this.#acknowledge(socket, events);
  }

  #note(socket, message) {
    if (message.op === "welcome") this.#subscribe(socket);
    if (message.op === "gap") this.#shows.gap(message);
    if (message.op === "caught_up") this.#shows.state("live");
    if (typeof message.cursor === "string") this.#positions.set(message.topic, `cursor:${message.cursor}`);
  }

  #subscribe(socket) {
    this.#waitMs = WAIT_MS_MIN;
    const messages = [...this.#positions].map(([topic, from]) => ({ op: "subscribe", ref: topic, topic, from }));
    socket.send(JSON.stringify(messages));
  }

  /** The hub stops sending to a reader that does not say how far it came. */
  #acknowledge(socket, events) {
    this.#unacknowledged += events.length;
    if (this.#unacknowledged < ACK_EVERY) return;
    this.#unacknowledged = 0;
    const { topic, cursor } = events.at(-1);
    socket.send(JSON.stringify({ op: "ack", topic, cursor }));
  }

  #lost() {
    this.#shows.state("lost");
    // Not all pages at once: up to a half later than asked.
    setTimeout(() => this.#connect(), this.#waitMs * (1 + Math.random() / 2));
    this.#waitMs = Math.min(this.#waitMs * 2, WAIT_MS_MAX);
  }
}
