/** One request with several events, as a CloudEvents batch; the answer may tell of those that were not taken. */
import { judgeBatchAnswer, type BatchedEvent } from "../core/batch-answer.ts";
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import { joinLines } from "../core/event.ts";
import { batchKey } from "../core/keys.ts";
import { LIMITS } from "../core/limits.ts";
import type { SubscriptionDefinition, WebhookTarget } from "../core/subscription.ts";
import { traceOfLine, type TraceContext } from "../core/trace-context.ts";
import type { Env } from "../env.ts";
import { readStart } from "./response-body.ts";
import { readOutcome, WebhookCaller } from "./webhook.ts";

export interface BatchRequest {
  readonly definition: SubscriptionDefinition;
  readonly batch: readonly (BatchedEvent & { readonly redrive: boolean })[];
}

/** An outcome for each event, in their order. */
export async function attemptWebhookBatch(
  env: Env,
  target: WebhookTarget,
  { definition, batch }: BatchRequest,
): Promise<AttemptOutcome[]> {
  const message = {
    id: batchKey(definition.id, await digestOf(batch)),
    headers: { "content-type": "application/cloudevents-batch+json; charset=utf-8" },
    body: `[${joinLines(batch.map(({ line }) => line))}]`,
    trace: sharedTrace(batch),
    redrive: batch.some(({ redrive }) => redrive),
  };
  const outcomes = await new WebhookCaller(env, definition, target).post(message, async (response) => {
    if (!response.ok) return readOutcome(response);
    const { text, isWhole } = await readStart(response, LIMITS.RESPONSE_READ_BYTES_MAX);
    return isWhole ? outcomesOf(response.status, text, batch) : refused(response.status, "The answer is too long.");
  });
  return Array.isArray(outcomes) ? outcomes : batch.map(() => outcomes as AttemptOutcome);
}

/** The request belongs to a trace where all of its events do, to the same; else each event tells of its own. */
function sharedTrace(batch: readonly BatchedEvent[]): TraceContext | null {
  const [first = null, ...others] = batch.map(({ line }) => traceOfLine(line));
  const isShared = others.every((one) => one?.traceparent === first?.traceparent);
  return isShared ? first : null;
}

function outcomesOf(status: number, text: string, batch: readonly BatchedEvent[]): AttemptOutcome[] {
  const accepted: AttemptOutcome = { kind: "accepted", status };
  return judgeBatchAnswer(text, batch).map((reason) => (reason === null ? accepted : refused(status, reason)));
}

const refused = (status: number, reason: string): AttemptOutcome => ({
  kind: "refused",
  status,
  retryAfterMs: null,
  excerpt: reason.slice(0, LIMITS.RESPONSE_KEPT_BYTES_MAX),
});

/** The same for the same deliveries in the same order, and for no others. */
async function digestOf(batch: readonly BatchedEvent[]): Promise<string> {
  const ids = new TextEncoder().encode(batch.map(({ id }) => id).join(" "));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", ids));
  return [...digest.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
