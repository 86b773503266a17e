/** What the page asks of the hub and of the shop. Both say what went wrong; their words are shown as they are. */

const JSON_TYPE = { "content-type": "application/json" };

export async function loadSession() {
  const response = await fetch("session.json");
  if (!response.ok) throw new Error("This page works in a local run only: npm run dev.");
  return response.json();
}

export class Hub {
  #key;

  constructor(key) {
    this.#key = key;
  }

  socketAddress() {
    return `${location.origin.replace("http", "ws")}/v1/connect?token=${encodeURIComponent(this.#key)}`;
  }

  /** The last offset of a topic's only partition; 0 when there is no such topic yet. */
  async lastOffset(topic) {
    const response = await this.#fetch("GET", `/v1/topics/${topic}`);
    if (response.status === 404) return 0;
    const { partitionStatus } = await answerOf(response);
    return partitionStatus[0]?.lastOffset ?? 0;
  }

  /** Every subscription with its state and stats. */
  async subscriptions() {
    const { items } = await this.#ask("GET", "/v1/subscriptions?limit=50");
    return Promise.all(items.map(({ name }) => this.#ask("GET", `/v1/subscriptions/${name}`)));
  }

  turn(subscription, verb) {
    return this.#ask("POST", `/v1/subscriptions/${subscription}/${verb}`, {});
  }

  async deadLetters(subscription) {
    const { items } = await this.#ask("GET", `/v1/subscriptions/${subscription}/dead-letters?limit=50`);
    return items.map((letter) => Object.assign(letter, { subscription }));
  }

  /** `choice` is `{ ids }` or `{ all: true }`. */
  redrive(subscription, choice) {
    return this.#ask("POST", `/v1/subscriptions/${subscription}/dead-letters/redrive`, choice);
  }

  async #ask(method, path, body) {
    return answerOf(await this.#fetch(method, path, body));
  }

  #fetch(method, path, body) {
    const authorization = `Bearer ${this.#key}`;
    const init = body === undefined ? { headers: {} } : { headers: JSON_TYPE, body: JSON.stringify(body) };
    return fetch(path, { ...init, method, headers: { ...init.headers, authorization } });
  }
}

export class Shop {
  #url;

  constructor(url) {
    this.#url = url;
  }

  async state() {
    return answerOf(await fetch(`${this.#url}/state`));
  }

  async place(command) {
    const init = { method: "POST", headers: JSON_TYPE, body: JSON.stringify(command) };
    return answerOf(await fetch(`${this.#url}/orders`, init));
  }

  /** `verb` is `repair` or `break`. */
  async turnFulfillment(verb) {
    return answerOf(await fetch(`${this.#url}/${verb}`, { method: "POST" }));
  }
}

async function answerOf(response) {
  const answer = await response.json();
  if (response.ok) return answer;
  // The hub sends problem details, the shop its own.
  const { detail, title, problems, error } = answer;
  throw new Error(detail ?? title ?? problems?.join(" ") ?? error ?? `It answered ${response.status}.`);
}
