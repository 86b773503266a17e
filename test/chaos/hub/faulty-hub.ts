/**
 * The hub as it ships, between bindings that lie and under a clock that steps. What is wrong is told over HTTP, and
 * forgotten when the runtime dies. It is the entry point of the chaos suite's bundle and of nothing that is deployed.
 */
import { ChannelHub as ShippedHub } from "../../../src/durable-objects/channel-hub/channel-hub.ts";
import { PresenceRoom as ShippedRoom } from "../../../src/durable-objects/presence-room/presence-room.ts";
import { Subscription as ShippedSubscription } from "../../../src/durable-objects/subscription/subscription.ts";
import { TopicLog as ShippedLog } from "../../../src/durable-objects/topic-log/topic-log.ts";
import type { Env } from "../../../src/env.ts";
import shipped from "../../../src/index.ts";
import type { DispatchMessage } from "../../../src/queues/messages.ts";
import { WorkerGate as ShippedGate } from "../../../src/worker/gate.ts";
import { CALM, FAULTS_PATH, type Faults } from "./faults.ts";

/** What is not wrapped below is as it ships. */
export * from "../../../src/index.ts";

let faults: Faults = CALM;

const happens = (share: number): boolean => share > 0 && Math.random() < share;

/**
 * Nothing is printed but what the hub blames itself for. To evict an object blocks the process that reads the log until
 * the runtime has answered; and a runtime whose log is full, because nobody reads it, answers no more.
 */
const print = console.log.bind(console);
console.log = (line: unknown) => {
  if (String(line).includes('"stage":"request.failed"')) print(line);
};

const machineNow = Date.now.bind(Date);
Date.now = () => machineNow() + faults.skewMs;

/** Plants ask for it: see test/chaos/plants. */
Object.defineProperty(globalThis, "planted", { get: () => faults.planted });

let isAlarmSkewed = false;

/** Alarms go by the machine's clock: what the hub asks for is a delay, as a timer takes it. */
function skewAlarms(storage: DurableObjectStorage): void {
  if (isAlarmSkewed) return;
  isAlarmSkewed = true;
  const prototype = Object.getPrototypeOf(storage) as DurableObjectStorage;
  const { setAlarm, getAlarm } = prototype;
  prototype.setAlarm = function (at, options) {
    return setAlarm.call(this, Number(at) - faults.skewMs, options);
  };
  prototype.getAlarm = async function (options) {
    const at = await getAlarm.call(this, options);
    return at === null ? null : at + faults.skewMs;
  };
}

const lyingQueue = (queue: Queue<DispatchMessage>): Queue<DispatchMessage> => {
  const sendLate = async (message: DispatchMessage): Promise<void> => {
    const lateMs = Math.random() * faults.queueLateMs;
    if (lateMs > 1) await new Promise((resolve) => setTimeout(resolve, lateMs));
    await queue.send(message);
  };
  const send = async (message: DispatchMessage): Promise<void> => {
    if (happens(faults.queueDrops)) return;
    await Promise.all([sendLate(message), ...(happens(faults.queueDoubles) ? [sendLate(message)] : [])]);
  };
  return { send } as unknown as Queue<DispatchMessage>;
};

async function atRisk<Value>(call: () => Promise<Value>): Promise<Value> {
  const fails = happens(faults.databaseFails);
  if (fails && happens(0.5)) throw new Error(NETWORK_LOST);
  const value = await call();
  if (fails) throw new Error(NETWORK_LOST);
  return value;
}

const NETWORK_LOST = "D1_ERROR: Network connection lost.";

class FailingStatement {
  readonly inner: D1PreparedStatement;

  constructor(inner: D1PreparedStatement) {
    this.inner = inner;
  }

  bind(...values: unknown[]): FailingStatement {
    return new FailingStatement(this.inner.bind(...values));
  }

  run(): Promise<D1Result> {
    return atRisk(() => this.inner.run());
  }

  all(): Promise<D1Result> {
    return atRisk(() => this.inner.all());
  }

  first(): Promise<unknown> {
    return atRisk(() => this.inner.first());
  }
}

const failingDatabase = (database: D1Database): D1Database =>
  ({
    prepare: (sql: string) => new FailingStatement(database.prepare(sql)),
    batch: (statements: FailingStatement[]) => atRisk(() => database.batch(statements.map(({ inner }) => inner))),
  }) as unknown as D1Database;

const faulty = (env: Env): Env => ({
  ...env,
  DELIVERIES: lyingQueue(env.DELIVERIES),
  DB: failingDatabase(env.DB),
});

/** What has been done is done; whether its caller hears of it is another matter. */
async function mayBeLost<Value>(ctx: DurableObjectState, answer: Promise<Value>, alsoLost = 0): Promise<Value> {
  const value = await answer;
  if (happens(faults.aborts)) ctx.abort("chaos");
  if (happens(Math.max(faults.answersLost, alsoLost))) throw new Error("the answer was lost");
  return value;
}

export class TopicLog extends ShippedLog {
  constructor(ctx: DurableObjectState, env: Env) {
    skewAlarms(ctx.storage);
    super(ctx, faulty(env));
  }

  override append(...given: Parameters<ShippedLog["append"]>): ReturnType<ShippedLog["append"]> {
    return mayBeLost(this.ctx, super.append(...given));
  }

  override read(...given: Parameters<ShippedLog["read"]>): ReturnType<ShippedLog["read"]> {
    return mayBeLost(this.ctx, super.read(...given));
  }
}

export class Subscription extends ShippedSubscription {
  constructor(ctx: DurableObjectState, env: Env) {
    skewAlarms(ctx.storage);
    super(ctx, faulty(env));
  }

  override accept(...given: Parameters<ShippedSubscription["accept"]>): ReturnType<ShippedSubscription["accept"]> {
    return mayBeLost(this.ctx, super.accept(...given));
  }

  override claim(...given: Parameters<ShippedSubscription["claim"]>): ReturnType<ShippedSubscription["claim"]> {
    return mayBeLost(this.ctx, super.claim(...given));
  }

  override settle(...given: Parameters<ShippedSubscription["settle"]>): ReturnType<ShippedSubscription["settle"]> {
    return mayBeLost(this.ctx, super.settle(...given), faults.settlesLost);
  }
}

export class ChannelHub extends ShippedHub {
  constructor(ctx: DurableObjectState, env: Env) {
    skewAlarms(ctx.storage);
    super(ctx, faulty(env));
  }

  override accept(...given: Parameters<ShippedHub["accept"]>): ReturnType<ShippedHub["accept"]> {
    return mayBeLost(this.ctx, super.accept(...given));
  }
}

export class PresenceRoom extends ShippedRoom {
  constructor(ctx: DurableObjectState, env: Env) {
    skewAlarms(ctx.storage);
    super(ctx, faulty(env));
  }

  override report(...given: Parameters<ShippedRoom["report"]>): ReturnType<ShippedRoom["report"]> {
    return mayBeLost(this.ctx, super.report(...given));
  }
}

export class WorkerGate extends ShippedGate {
  constructor(ctx: ExecutionContext, env: Env) {
    super(ctx, faulty(env));
  }
}

export default {
  async fetch(request, env, ctx) {
    if (new URL(request.url).pathname !== FAULTS_PATH) return shipped.fetch(request, faulty(env), ctx);
    faults = (await request.json()) as Faults;
    return new Response(null, { status: 204 });
  },
  queue: (batch, env, ctx) => shipped.queue(batch, faulty(env), ctx),
  scheduled: (controller, env) => shipped.scheduled(controller, faulty(env)),
} satisfies ExportedHandler<Env>;
