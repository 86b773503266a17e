/** How each side is asked for the same thing. */

export interface Dialect {
  readonly headers: Readonly<Record<string, string>>;
  publishOne(topic: string): string;
  publishMany(topic: string): string;
  /** Has the runtime append from inside, as an order of bench/engine/order.ts says. */
  driveAppends(topic: string): string;
  /** Likewise has it read. */
  driveReads(topic: string): string;
  /** Publishes one event to the sockets that follow the topic. */
  broadcast(topic: string): string;
  /** Publishes many events that are delivered to a webhook. */
  deliver(topic: string, url: string): string;
  /** A page after a position that `positionAfter` gave; null: from the beginning. */
  page(topic: string, position: string | null, limit: number): string;
  positionAfter(body: Buffer, eventsRead: number): string;
  readonly socket: SocketDialect;
  /** Server-sent events from now on, and what says that all until now has been sent; null: there are none. */
  readonly eventStream: { path(topic: string): string; readonly ready: string } | null;
  /** What has to be made before events are published; null: nothing. */
  createTopic(topic: string): Registration | null;
  /** What has to be registered before events are delivered; null: nothing. */
  registerWebhook(topic: string, url: string, pace: WebhookPace): Registration | null;
  /** What holds deliveries back, and what lets them go again; null: nothing can. */
  readonly backlog: { readonly hold: Registration; readonly release: Registration } | null;
}

/** `each`: a request for each event; `batch`: one for up to a hundred. */
export type WebhookPace = "each" | "batch";

export interface Registration {
  readonly method: string;
  readonly path: string;
  readonly body: string;
}

export interface SocketDialect {
  path(topic: string): string;
  readonly protocol: string | null;
  /** The frame that makes a connection follow the topic, and what its answer contains. */
  readonly subscribe: ((topic: string) => { readonly frame: string; readonly answer: string }) | null;
  /** The frame that acknowledges what a frame of events brought; null where readers do not acknowledge. */
  acknowledge(topic: string, frame: Buffer): string | null;
}

/** The most that a subscription may ask for: the yardstick holds nothing back. */
const IN_FLIGHT_MAX = 1_000;

/** The name of the subscription that delivers. */
export const WEBHOOK = "bench";

const CURSOR = Buffer.from('"cursor":"');

/** The last cursor in a text: of a page, or of the last event of a frame. */
export function lastCursor(text: Buffer): string | null {
  const start = text.lastIndexOf(CURSOR);
  if (start < 0) return null;
  const from = start + CURSOR.length;
  return text.toString("latin1", from, text.indexOf('"', from));
}

const eventsPath = (topic: string): string => `/v1/topics/${topic}/events`;

export function hubDialect(token: string): Dialect {
  return {
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    publishOne: eventsPath,
    publishMany: eventsPath,
    driveAppends: (topic) => `/bench/appends/${topic}`, // Known to bench/engine/worker.ts alone.
    driveReads: (topic) => `/bench/reads/${topic}`,
    broadcast: eventsPath,
    deliver: eventsPath,
    page: (topic, position, limit) =>
      `${eventsPath(topic)}?limit=${limit}&from=${position === null ? "earliest" : `cursor:${position}`}`,
    positionAfter: (body) => {
      const cursor = lastCursor(body);
      if (cursor === null) throw new Error("a page without a cursor");
      return cursor;
    },
    socket: {
      path: () => `/v1/connect?token=${token}`,
      protocol: "tidings.v1",
      subscribe: (topic) => ({
        frame: JSON.stringify({ op: "subscribe", ref: "bench", topic }),
        answer: '"caught_up"',
      }),
      acknowledge: (topic, frame) => {
        const cursor = lastCursor(frame);
        return cursor === null ? null : JSON.stringify({ op: "ack", topic, cursor });
      },
    },
    eventStream: { path: (topic) => `${eventsPath(topic)}?from=latest`, ready: "caught_up" },
    createTopic: () => null,
    registerWebhook: (topic, url, pace) => ({
      method: "PUT",
      path: `/v1/subscriptions/${WEBHOOK}`,
      body: JSON.stringify({
        topics: [topic],
        startFrom: "latest",
        target: { kind: "webhook", url },
        maxInFlight: IN_FLIGHT_MAX,
        ...(pace === "batch" ? { mode: "batch", batch: { maxEvents: 100 } } : {}),
      }),
    }),
    backlog: {
      hold: { method: "POST", path: `/v1/subscriptions/${WEBHOOK}/pause`, body: "{}" },
      release: { method: "POST", path: `/v1/subscriptions/${WEBHOOK}/resume`, body: "{}" },
    },
  };
}

export const bareDialect: Dialect = {
  headers: { "content-type": "application/json" },
  publishOne: (topic) => `/v1/${topic}/insert`,
  publishMany: (topic) => `/v1/${topic}/insert-many`,
  driveAppends: (topic) => `/v1/${topic}/appends`,
  driveReads: (topic) => `/v1/${topic}/reads`,
  broadcast: (topic) => `/v1/${topic}/broadcast`,
  deliver: (topic, url) => `/v1/${topic}/deliver?url=${encodeURIComponent(url)}`,
  page: (topic, position, limit) => `/v1/${topic}/read?after=${position ?? 0}&limit=${limit}`,
  positionAfter: (_body, eventsRead) => String(eventsRead),
  socket: { path: (topic) => `/v1/${topic}/connect`, protocol: null, subscribe: null, acknowledge: () => null },
  eventStream: null,
  createTopic: () => null,
  registerWebhook: () => null,
  backlog: null,
};

/** One that waits for six answers at once, as the platform has it. A local runtime does not. */
export const sixDialect: Dialect = {
  ...bareDialect,
  deliver: (topic, url) => `${bareDialect.deliver(topic, url)}&connections=6`,
};

/** One whose requests say as much as the hub's: full events, signed. */
export const signedDialect: Dialect = {
  ...bareDialect,
  deliver: (topic, url) => `${bareDialect.deliver(topic, url)}&signed`,
};

const rowsPath = (topic: string): string => `/v1/${topic}/insert-rows`;

/** The other yardstick, for publishing and reading. */
export const tableDialect: Dialect = {
  ...bareDialect,
  publishOne: rowsPath,
  publishMany: rowsPath,
  page: (topic, position, limit) => `/v1/${topic}/read-rows?after=${position ?? 0}&limit=${limit}`,
};
