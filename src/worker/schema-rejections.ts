/**
 * Has operators told that a topic's schemas refuse what is published. Its log tells it, of each type once in a while;
 * so as not to be called for each refusal, it hears of a type once a minute from an isolate, with how many there were.
 */
import type { Failure, FieldError } from "../core/errors.ts";
import type { SchemaRejection } from "../core/operation-event.ts";
import { principalKey } from "../core/principal.ts";
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import { topicLog } from "../stubs.ts";
import type { Caller } from "./caller.ts";
import { IsolateCache } from "./isolate-cache.ts";
import { findTopic } from "./topic-directory.ts";
import { lifeOf } from "./topic-life.ts";

interface Refusals {
  /** Milliseconds; the log has not heard of those that came since. */
  toldAt: number;
  untold: number;
}

const refusalsByType = new IsolateCache<Refusals>();
/** Shorter than the log tells of it, so that what it is told late is told in time. */
const HEARD_EVERY_MS = 60_000;
const FORGOTTEN_MS = 3_600_000;

/** Never rejects. Waits only where the caller has nobody to keep work going beside its own. */
export async function noteRejection(env: Env, caller: Caller, topic: string, failure: Failure): Promise<void> {
  const { code, schema, errors = [] } = failure;
  if (code !== "schema_violation" || schema === undefined) return;
  const now = Date.now();
  const { app } = caller.principal;
  const refusals = refusalsOf(app, topic, schema.type, now);
  refusals.untold += 1;
  if (now < refusals.toldAt + HEARD_EVERY_MS) return;
  const told = { ...schema, errors: shorten(errors), producer: principalKey(caller.principal) };
  const rejection = { ...told, refusals: refusals.untold };
  Object.assign(refusals, { toldAt: now, untold: 0 });
  const telling = tell(env, app, topic, rejection).catch((error: unknown) => {
    logStage("schema.rejection_untold", { app, topic, error: String(error) });
    Object.assign(refusals, { toldAt: 0, untold: refusals.untold + rejection.refusals });
  });
  if (caller.beside === undefined) await telling;
  else caller.beside(telling);
}

function refusalsOf(app: string, topic: string, type: string, now: number): Refusals {
  const key = JSON.stringify([app, topic, type]);
  const refusals = refusalsByType.get(key, now) ?? { toldAt: 0, untold: 0 };
  refusalsByType.set(key, refusals, now + FORGOTTEN_MS);
  return refusals;
}

/** A topic that is gone meanwhile has nobody to tell of. */
async function tell(env: Env, app: string, name: string, rejection: SchemaRejection): Promise<void> {
  const topic = await findTopic(env, app, name);
  if (topic.ok) await topicLog(env, app, name, 0).tellRejected(lifeOf(topic.value), rejection);
}

const ERRORS_TOLD_MAX = 5;
const TEXT_CHARS_MAX = 200; // A pointer is made of the producer's own names, which may be long.

const shorten = (errors: readonly FieldError[]): FieldError[] =>
  errors.slice(0, ERRORS_TOLD_MAX).map(({ pointer, detail }) => ({
    pointer: pointer.slice(0, TEXT_CHARS_MAX),
    detail: detail.slice(0, TEXT_CHARS_MAX),
  }));
