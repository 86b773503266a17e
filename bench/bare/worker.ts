/**
 * The yardsticks, no part of the hub. `bare` is the least that a Worker with one SQLite object can do for the same
 * requests: one row an event, no names, no ids, no checks, no cursor, no delivery that survives a crash. `table` is the
 * obvious event log: one row an event with an id that is found again, and a receipt for each.
 */
import { DurableObject } from "cloudflare:workers";

interface Env {
  readonly LOG: DurableObjectNamespace<BareLog>;
  readonly QUEUE: Queue<BareMessage>;
}

/** The events of one request: a message costs more than what it carries. */
interface BareMessage {
  readonly url: string;
  readonly events: readonly string[];
  /** Requests under way at once; null: as many as there are events. */
  readonly connections: number | null;
  /** As Standard Webhooks says, the time of an answer bounded. */
  readonly isSigned: boolean;
}

interface Draft {
  /** Absent: the log makes one. */
  readonly id?: string;
  readonly type: string;
  readonly key: string;
  readonly data: unknown;
}

type EventRow = {
  readonly offset: number;
  readonly id: string;
  readonly type: string;
  readonly key: string | null;
  readonly appended_at: number;
  readonly data: string;
};

interface Receipt {
  readonly id: string;
  readonly offset: number;
}

/** As bench/engine/order.ts has it. */
interface AppendOrder {
  readonly appends: number;
  readonly connections: number;
  readonly batches: readonly (readonly Draft[])[];
}

/** Likewise. */
interface ReadOrder {
  readonly readers: number;
  readonly events: number;
  readonly pageEvents: number;
}

const JSON_BODY = { "content-type": "application/json" };

export class BareLog extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#sql = ctx.storage.sql;
    this.#sql.exec("CREATE TABLE IF NOT EXISTS events (offset INTEGER PRIMARY KEY, event TEXT NOT NULL)");
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS event_rows (
      offset INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, key TEXT,
      appended_at INTEGER NOT NULL, data TEXT)`);
  }

  insert(events: readonly string[]): number {
    for (const event of events) this.#sql.exec("INSERT INTO events (event) VALUES (?)", event);
    return this.#sql.exec<{ offset: number }>("SELECT last_insert_rowid() AS offset").one().offset;
  }

  insertRows(drafts: readonly Draft[]): Receipt[] {
    const appendedAt = Date.now();
    return drafts.map(({ id = crypto.randomUUID(), type, key, data }) => {
      const sql = `INSERT INTO event_rows (id, type, key, appended_at, data) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT (id) DO NOTHING RETURNING offset`;
      const [row] = this.#sql.exec<{ offset: number }>(sql, id, type, key, appendedAt, JSON.stringify(data));
      return { id, offset: row?.offset ?? this.#offsetOf(id) };
    });
  }

  #offsetOf(id: string): number {
    return this.#sql.exec<{ offset: number }>("SELECT offset FROM event_rows WHERE id = ?", id).one().offset;
  }

  page(after: number, limit: number): string {
    const sql = "SELECT event FROM events WHERE offset > ? ORDER BY offset LIMIT ?";
    const rows = this.#sql.exec<{ event: string }>(sql, after, limit);
    return `[${rows
      .toArray()
      .map((row) => row.event)
      .join(",")}]`;
  }

  /** Full events, as the hub's readers get them: rows become objects, and those together one text. */
  pageOfRows(topic: string, after: number, limit: number): string {
    const sql = `SELECT offset, id, type, key, appended_at, data FROM event_rows
      WHERE offset > ? ORDER BY offset LIMIT ?`;
    const rows = this.#sql.exec<EventRow>(sql, after, limit).toArray();
    const events = rows.map((row) => fullEvent(topic, row, JSON.parse(row.data)));
    return JSON.stringify({ events, cursor: String(events.at(-1)?.offset ?? after), caughtUp: events.length < limit });
  }

  broadcast(event: string): number {
    const sockets = this.ctx.getWebSockets();
    for (const socket of sockets) socket.send(event);
    return sockets.length;
  }

  override fetch(): Response {
    const [client, server] = Object.values(new WebSocketPair()) as [WebSocket, WebSocket];
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }
}

/** As the hub's readers get it. */
function fullEvent(topic: string, row: Omit<EventRow, "data">, data: unknown) {
  const { offset, id, type, key, appended_at } = row;
  const time = new Date(appended_at).toISOString();
  return {
    specversion: "1.0",
    id,
    source: "/apps/default",
    type,
    time,
    datacontenttype: "application/json",
    partitionkey: key,
    topic,
    partition: 0,
    offset,
    appendedat: time,
    data,
  };
}

/** Its offset is that within the request: all that matters here is how long it is. */
const sentAs = (topic: string, { type, key, data }: Draft, offset: number): object =>
  fullEvent(topic, { offset, id: crypto.randomUUID(), type, key, appended_at: Date.now() }, data);

async function post(url: string, event: string): Promise<boolean> {
  const response = await fetch(url, { method: "POST", headers: JSON_BODY, body: event });
  await response.arrayBuffer();
  return response.ok;
}

const ANSWER_MS_MAX = 15_000;
let signingKey: Promise<CryptoKey> | undefined;

/** The request that the hub makes. */
async function postSigned(url: string, event: string, id: string): Promise<boolean> {
  signingKey ??= crypto.subtle.importKey("raw", new Uint8Array(32), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const timestamp = String(Math.floor(Date.now() / 1_000));
  const content = new TextEncoder().encode(`${id}.${timestamp}.${event}`);
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", await signingKey, content));
  const response = await fetch(url, {
    method: "POST",
    headers: {
      "content-type": "application/cloudevents+json; charset=utf-8",
      "user-agent": "Bare/1.0.0",
      "webhook-id": id,
      "webhook-timestamp": timestamp,
      "webhook-signature": `v1,${btoa(String.fromCharCode(...signature))}`,
    },
    body: event,
    redirect: "manual",
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  });
  await response.arrayBuffer();
  return response.ok;
}

/** All at once, or through so many lanes that each send their next when their last was answered. */
async function postAll({ url, events, connections, isSigned }: BareMessage): Promise<boolean> {
  let isTaken = true;
  await inLanes(connections ?? events.length, events.entries(), async ([index, event]) => {
    const isOk = isSigned ? await postSigned(url, event, `msg_${index}`) : await post(url, event);
    isTaken &&= isOk;
  });
  return isTaken;
}

/** `left` is one iterator, so each lane takes what no other has taken. */
async function inLanes<Item>(
  lanes: number,
  left: IterableIterator<Item>,
  work: (item: Item) => Promise<unknown>,
): Promise<void> {
  const lane = async (): Promise<void> => {
    for (const item of left) await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
}

/** So many appends, each a call of its own. Answers how long they took. */
async function driveAppends(env: Env, topic: string, order: AppendOrder): Promise<{ seconds: number }> {
  const { appends, connections, batches } = order;
  const startedAt = performance.now();
  await inLanes(connections, Array(appends).keys(), (append) =>
    env.LOG.getByName(topic).insertRows(batches[append % batches.length]!),
  );
  return { seconds: (performance.now() - startedAt) / 1_000 };
}

/** So many readers, each through the whole log page after page. Answers how long it took. */
async function driveReads(env: Env, topic: string, order: ReadOrder): Promise<{ seconds: number }> {
  const { readers, events, pageEvents } = order;
  const startedAt = performance.now();
  await inLanes(readers, Array(readers).keys(), async () => {
    for (let after = 0; after < events; after += pageEvents) {
      await env.LOG.getByName(topic).pageOfRows(topic, after, pageEvents);
    }
  });
  return { seconds: (performance.now() - startedAt) / 1_000 };
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    const [, , topic = "", verb = ""] = pathname.split("/");
    const log = env.LOG.getByName(topic);
    const [after, limit] = [Number(searchParams.get("after")), Number(searchParams.get("limit"))];
    switch (verb) {
      case "connect":
        return log.fetch(request);
      case "read":
        return new Response(await log.page(after, limit));
      case "read-rows":
        return new Response(await log.pageOfRows(topic, after, limit), { headers: JSON_BODY });
      case "broadcast":
        return Response.json({ sockets: await log.broadcast(await request.text()) });
      case "insert":
        return Response.json({ offset: await log.insert([await request.text()]) });
      case "insert-many": {
        const events = (await request.json<unknown[]>()).map((event) => JSON.stringify(event));
        return Response.json({ offset: await log.insert(events) });
      }
      case "insert-rows": {
        const body = await request.json<Draft | Draft[]>();
        return Response.json({ events: await log.insertRows(Array.isArray(body) ? body : [body]) });
      }
      case "appends":
        return Response.json(await driveAppends(env, topic, await request.json()));
      case "reads":
        return Response.json(await driveReads(env, topic, await request.json()));
      case "deliver": {
        const url = searchParams.get("url")!;
        const connections = searchParams.has("connections") ? Number(searchParams.get("connections")) : null;
        const isSigned = searchParams.has("signed");
        const drafts = await request.json<Draft[]>();
        const offset = await log.insert(drafts.map((draft) => JSON.stringify(draft)));
        const events = drafts.map((draft, index) => JSON.stringify(isSigned ? sentAs(topic, draft, index) : draft));
        await env.QUEUE.send({ url, events, connections, isSigned });
        return Response.json({ offset });
      }
      default:
        return new Response(null, { status: 404 });
    }
  },

  async queue(batch: MessageBatch<BareMessage>): Promise<void> {
    const settle = async (message: Message<BareMessage>): Promise<void> => {
      if (await postAll(message.body)) message.ack();
      else message.retry();
    };
    // What is held to a number of connections is held to it by the invocation, so its messages go one by one.
    if (batch.messages.some(({ body }) => body.connections !== null)) {
      for (const message of batch.messages) await settle(message);
    } else {
      await Promise.all(batch.messages.map(settle));
    }
  },
};
