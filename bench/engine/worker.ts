/**
 * The hub's log with none of the hub before it: on one request so many appends, each a call of the log's object as a
 * publish makes it behind its checks. It is never deployed.
 */
import type { Result } from "../../src/core/result.ts";
import type { EventDraft } from "../../src/core/event.ts";
import type { LogLife } from "../../src/durable-objects/rpc.ts";
import type { Env } from "../../src/env.ts";
import hub from "../../src/index.ts";
import { parseDrafts } from "../../src/wire/native/draft.ts";
import { appendToLog, fingerprintOfDraft } from "../../src/worker/append-to-log.ts";
import { closedLoop } from "../client/load.ts";
import type { AppendOrder, AppendsDriven } from "./order.ts";

export * from "../../src/index.ts";

const PATH = "/bench/appends/";
const APP = "app_default";
const LIFE: LogLife = { epoch: 1, revision: 1, index: "none", retention: {} };
const ASK = { life: LIFE, ifMatch: null, request: null, producer: APP, refusal: null };
const DEFAULTS = { source: "/apps/default", traceparent: null };

export default {
  ...hub,
  async fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (!pathname.startsWith(PATH)) return hub.fetch(request, env, ctx);
    return Response.json(await driveAppends(env, pathname.slice(PATH.length), await request.json()));
  },
} satisfies ExportedHandler<Env>;

async function driveAppends(env: Env, name: string, order: AppendOrder): Promise<AppendsDriven> {
  const batches = order.batches.map((batch) => valueOf(parseDrafts(JSON.stringify(batch), DEFAULTS)));
  const { seconds } = await closedLoop(order.connections, order.appends, async (append) =>
    valueOf(await appendDrafts(env, name, batches[append % batches.length]!)),
  );
  return { seconds };
}

const appendDrafts = (env: Env, name: string, drafts: readonly EventDraft[]) =>
  appendToLog(env, { app: APP, name }, 0, { ...ASK, drafts, fingerprints: drafts.map(fingerprintOfDraft) });

/** A refused append measures nothing. */
function valueOf<Value>(result: Result<Value>): Value {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.failure)}`);
  return result.value;
}
