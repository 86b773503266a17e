/**
 * The hub as it ships, with a meter on what the platform would bill: every call of an object, row, alarm and queue
 * operation passes a counter on its way to the runtime. It answers `GET /cost/units`, and is never deployed.
 */
import { Batch as ShippedBatch } from "../../src/durable-objects/batch/batch.ts";
import { ChannelHub as ShippedChannelHub } from "../../src/durable-objects/channel-hub/channel-hub.ts";
import { EndpointHealth as ShippedEndpointHealth } from "../../src/durable-objects/endpoint-health/endpoint-health.ts";
import { MetricTally as ShippedMetricTally } from "../../src/durable-objects/metric-tally/metric-tally.ts";
import { PresenceRoom as ShippedPresenceRoom } from "../../src/durable-objects/presence-room/presence-room.ts";
import { QuotaMeter as ShippedQuotaMeter } from "../../src/durable-objects/quota-meter/quota-meter.ts";
import { Schedules as ShippedSchedules } from "../../src/durable-objects/schedules/schedules.ts";
import { Subscription as ShippedSubscription } from "../../src/durable-objects/subscription/subscription.ts";
import { TopicLog as ShippedTopicLog } from "../../src/durable-objects/topic-log/topic-log.ts";
import type { Env } from "../../src/env.ts";
import hub from "../../src/index.ts";
import type { Units } from "../cost/units.ts";

// What is named below wins. A class that is new in the hub runs as it is: its calls and rows are counted, but no alarms.
export * from "../../src/index.ts";

type Counted = { -readonly [Name in keyof Units]: Units[Name] };

/** Worker and objects share an isolate in a local run, and so this. */
const units: Counted = { workerRequests: 0, objectRequests: 0, rowsRead: 0, rowsWritten: 0, queueOperations: 0 };

const QUEUE_UNIT_BYTES = 64_000;
const INCOMING_MESSAGES_PER_REQUEST = 20;

type Method = (this: unknown, ...args: never[]) => unknown;

/** Makes the call that was asked for, and counts. */
type Count = (call: () => unknown, args: readonly unknown[], self: unknown) => unknown;

/** Lets every call of a method, on whatever object of its class, pass `count` first or afterwards. */
function meterMethod(owner: object, name: string, count: Count): void {
  let place = owner;
  while (!Object.hasOwn(place, name)) place = Object.getPrototypeOf(place) as object;
  const method = (place as Record<string, Method>)[name]!;
  Object.defineProperty(place, name, {
    configurable: true,
    writable: true,
    value(this: unknown, ...args: never[]) {
      return count(() => method.apply(this, args), args, this);
    },
  });
}

const metered = new Set<string>();

/** A class of the runtime is met on its first object, and metered once. */
function once(name: string, install: () => void): void {
  if (metered.has(name)) return;
  metered.add(name);
  install();
}

// ------------------------------------------------------------------------------------------------------ objects

let cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = [];

/** A cursor knows its rows when it has been read, which every statement here is within its turn. */
function foldCursors(): void {
  for (const { rowsRead, rowsWritten } of cursors) {
    units.rowsRead += rowsRead;
    units.rowsWritten += rowsWritten;
  }
  cursors = [];
}

function meterStorage(storage: DurableObjectStorage): void {
  meterMethod(storage.sql, "exec", (exec) => {
    const cursor = exec() as (typeof cursors)[number];
    if (cursors.length === 0) queueMicrotask(foldCursors);
    cursors.push(cursor);
    return cursor;
  });
  for (const name of ["setAlarm", "deleteAlarm", "put", "delete"]) {
    meterMethod(storage, name, (call) => {
      units.rowsWritten += 1;
      return call();
    });
  }
  meterMethod(storage, "get", (get) => {
    units.rowsRead += 1;
    return get();
  });
}

// A class that is extended here must take any arguments, by the letter of TypeScript.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type ObjectClass = new (...given: any[]) => object;

/** `Shipped`, whose rows, alarms and incoming messages are counted; its calls are, where they are made. */
function meterObject<Class extends ObjectClass>(Shipped: Class): Class {
  const prototype = Shipped.prototype as Partial<Record<"alarm" | "webSocketMessage", Method>>;
  for (const [name, share] of [
    ["alarm", 1],
    ["webSocketMessage", 1 / INCOMING_MESSAGES_PER_REQUEST],
  ] as const) {
    if (prototype[name] === undefined) continue;
    meterMethod(prototype, name, (call) => {
      units.objectRequests += share;
      return call();
    });
  }
  return class extends Shipped {
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    constructor(...given: any[]) {
      once("storage", () => meterStorage((given[0] as DurableObjectState).storage));
      super(...given);
    }
  };
}

export const Batch = meterObject(ShippedBatch);
export const ChannelHub = meterObject(ShippedChannelHub);
export const EndpointHealth = meterObject(ShippedEndpointHealth);
export const MetricTally = meterObject(ShippedMetricTally);
export const PresenceRoom = meterObject(ShippedPresenceRoom);
export const QuotaMeter = meterObject(ShippedQuotaMeter);
export const Schedules = meterObject(ShippedSchedules);
export const Subscription = meterObject(ShippedSubscription);
export const TopicLog = meterObject(ShippedTopicLog);

/** A stub whose every call counts as a request of its object. */
const meterStub = (stub: object): object =>
  new Proxy(stub, {
    get(target, name) {
      const member = Reflect.get(target, name) as unknown;
      if (typeof name === "symbol" || typeof member !== "function" || name === "dup") return member;
      return (...args: unknown[]): unknown => {
        units.objectRequests += 1;
        return (target as Record<string, (...given: unknown[]) => unknown>)[name]!(...args);
      };
    },
  });

// ------------------------------------------------------------------------------------------- the Worker's bindings

const addMeta = ({ meta }: D1Result): void => {
  units.rowsRead += meta.rows_read;
  units.rowsWritten += meta.rows_written;
};

function meterDatabase(database: D1Database): void {
  for (const name of ["all", "run"]) {
    meterMethod(database.prepare("SELECT 1"), name, async (call) => {
      const result = (await call()) as D1Result;
      addMeta(result);
      return result;
    });
  }
  // The first row alone comes without its meta.
  meterMethod(database.prepare("SELECT 1"), "first", async (_call, [column], self) => {
    const row = (await (self as D1PreparedStatement).all()).results[0] ?? null;
    return typeof column === "string" ? (row?.[column] ?? null) : row;
  });
  meterMethod(database, "batch", async (call) => {
    const results = (await call()) as D1Result[];
    for (const result of results) addMeta(result);
    return results;
  });
}

const queueUnits = (body: unknown): number =>
  Math.ceil(new TextEncoder().encode(JSON.stringify(body)).length / QUEUE_UNIT_BYTES);

function meterBindings(env: Env): void {
  meterDatabase(env.DB);
  meterMethod(env.DELIVERIES, "send", (send, [body]) => {
    units.queueOperations += queueUnits(body);
    return send();
  });
  meterMethod(env.DELIVERIES, "sendBatch", (send, [messages]) => {
    for (const { body } of messages as readonly { readonly body: unknown }[]) units.queueOperations += queueUnits(body);
    return send();
  });
  meterMethod(env.TOPIC_LOG, "getByName", (get) => meterStub(get() as object));
}

/** Read by its coming; deleted when it is acknowledged. */
function meterMessage(message: Message): void {
  units.queueOperations += queueUnits(message.body);
  once("message", () => {
    meterMethod(message, "ack", (acknowledge, _args, self) => {
      units.queueOperations += queueUnits((self as Message).body);
      return acknowledge();
    });
  });
}

export default {
  fetch(request, env, ctx) {
    if (new URL(request.url).pathname === "/cost/units") {
      foldCursors();
      return Response.json(units);
    }
    once("bindings", () => meterBindings(env));
    units.workerRequests += 1;
    return hub.fetch(request, env, ctx);
  },
  queue(batch, env, ctx) {
    units.workerRequests += 1;
    for (const message of batch.messages) meterMessage(message);
    return hub.queue(batch as MessageBatch<never>, env, ctx);
  },
  scheduled(controller, env) {
    once("bindings", () => meterBindings(env));
    units.workerRequests += 1;
    return hub.scheduled(controller, env);
  },
} satisfies ExportedHandler<Env>;
