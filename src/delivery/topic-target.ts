/**
 * One attempt at a topic: the event is published again as the same CloudEvent. Its (source, id) makes a repeat a
 * duplicate, so a crash between the append and the settle leaves one event.
 */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import { ERRORS, type Failure } from "../core/errors.ts";
import { LIMITS } from "../core/limits.ts";
import { hopsOf, withHops } from "../core/republish.ts";
import type { Env } from "../env.ts";
import { parseStructured } from "../wire/cloudevents/structured.ts";
import type { AttemptRequest } from "./attempt-request.ts";
import { isTimeout, untilAborted } from "./deadline.ts";
import { publishAgain } from "./publisher.ts";

export async function attemptTopic(env: Env, topic: string, request: AttemptRequest): Promise<AttemptOutcome> {
  const { app, name: subscription, timeoutMs } = request.definition;
  const hops = hopsOf(request.line) + 1;
  if (hops > LIMITS.REPUBLISH_HOPS_MAX) return LOOPED;
  // Nothing is assumed of an event that stands in a log: it says everything itself.
  const draft = parseStructured(request.line, { source: "", traceparent: null });
  if (!draft.ok) return refused(draft.failure);
  try {
    const publication = { app, subscription, topic, draft: withHops(draft.value, hops) };
    const published = await untilAborted(publishAgain(env, publication), AbortSignal.timeout(timeoutMs));
    return published.ok ? { kind: "accepted", status: 200 } : refused(published.failure);
  } catch (error) {
    if (isTimeout(error)) return { kind: "unreachable", reason: "timeout", excerpt: "" };
    return { kind: "unreachable", reason: "connection", excerpt: String(error) };
  }
}

const LOOPED: AttemptOutcome = {
  kind: "rejected",
  reason: "loop",
  excerpt: `The event has gone from topic to topic ${LIMITS.REPUBLISH_HOPS_MAX} times.`,
};

/** What the topic would never take is not tried again: neither by its status, nor another event of the same id. */
function refused({ code, detail, retryAfterSeconds }: Failure): AttemptOutcome {
  const excerpt = `${code}: ${detail ?? ERRORS[code].says}`;
  if (code === "event_id_conflict") return { kind: "rejected", reason: "rejected", excerpt };
  const retryAfterMs = retryAfterSeconds === undefined ? null : retryAfterSeconds * 1_000;
  return { kind: "refused", status: ERRORS[code].status, retryAfterMs, excerpt };
}
