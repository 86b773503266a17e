/**
 * The hub's log with none of the hub before it: on one request so many appends or pages, each a call of the log's
 * object as the hub makes it behind its checks. It is never deployed.
 */
import { compileFilter } from "../../src/core/filter.ts";
import type { Position } from "../../src/core/position.ts";
import type { Result } from "../../src/core/result.ts";
import type { EventDraft } from "../../src/core/event.ts";
import type { LogLife } from "../../src/durable-objects/rpc.ts";
import type { Env } from "../../src/env.ts";
import hub from "../../src/index.ts";
import type { TopicRecord } from "../../src/store/topics-store.ts";
import { parseDrafts } from "../../src/wire/native/draft.ts";
import { appendToLog, fingerprintOfDraft } from "../../src/worker/append-to-log.ts";
import { readEvents, type EventsPage } from "../../src/worker/read-events.ts";
import { findTopic } from "../../src/worker/topic-directory.ts";
import { closedLoop } from "../client/load.ts";
import type { AppendOrder, Driven, ReadOrder } from "./order.ts";

export * from "../../src/index.ts";

const PATH = /^\/bench\/(appends|reads)\/([^/]+)$/;
const APP = "app_default";
const LIFE: LogLife = { epoch: 1, revision: 1, index: "none", retention: {} };
const ASK = { life: LIFE, ifMatch: null, producer: APP, refusal: null };
/** As long as that of a body. */
const FINGERPRINT = "f".repeat(43);
const DEFAULTS = { source: "/apps/default", traceparent: null };

export default {
  ...hub,
  async fetch(request, env, ctx) {
    const [, what, name] = PATH.exec(new URL(request.url).pathname) ?? [];
    if (name === undefined) return hub.fetch(request, env, ctx);
    const driven =
      what === "appends" ? driveAppends(env, name, await request.json()) : driveReads(env, name, await request.json());
    return Response.json(await driven);
  },
} satisfies ExportedHandler<Env>;

async function driveAppends(env: Env, name: string, order: AppendOrder): Promise<Driven> {
  const batches = order.batches.map((batch) => valueOf(parseDrafts(JSON.stringify(batch), DEFAULTS)));
  const { seconds } = await closedLoop(order.connections, order.appends, async (append) =>
    valueOf(await appendDrafts(env, name, batches[append % batches.length]!, keyOf(order, append))),
  );
  return { seconds };
}

const keyOf = ({ keys }: AppendOrder, append: number): string | null => (keys === null ? null : `${keys}-${append}`);

const appendDrafts = (env: Env, name: string, drafts: readonly EventDraft[], key: string | null) =>
  appendToLog(env, { app: APP, name }, 0, {
    ...ASK,
    drafts,
    fingerprints: drafts.map(fingerprintOfDraft),
    request: key === null ? null : { key, fingerprint: FINGERPRINT },
  });

async function driveReads(env: Env, name: string, order: ReadOrder): Promise<Driven> {
  const topic = valueOf(await findTopic(env, APP, name));
  const { seconds } = await closedLoop(order.readers, order.readers, async () => {
    const count = await readLog(env, topic, order.pageEvents);
    if (count !== order.events) throw new Error(`the log ended after ${count} of ${order.events} events`);
  });
  return { seconds };
}

/** Answers how many events there were. */
async function readLog(env: Env, topic: TopicRecord, eventsMax: number): Promise<number> {
  const ask = { eventsMax, partition: null, key: null, filter: compileFilter(null) };
  let from: Position = { kind: "earliest" };
  for (let count = 0; ;) {
    const page: EventsPage = valueOf(await readEvents(env, topic, { ...ask, from }));
    count += page.count;
    if (page.caughtUp) return count;
    from = { kind: "cursor", cursor: page.cursor };
  }
}

/** A refused call measures nothing. */
function valueOf<Value>(result: Result<Value>): Value {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.failure)}`);
  return result.value;
}
