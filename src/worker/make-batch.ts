/** Makes a batch: all that could be wrong with it is found before anything stands. */
import type { EventDraft } from "../core/event.ts";
import {
  batchId,
  readNested,
  subscriptionOfBatch,
  type BatchDefinition,
  type BatchReport,
  type NewBatchJob,
} from "../core/job-batch.ts";
import { matchesTopicPattern } from "../core/names.ts";
import { allows } from "../core/principal.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import { uuidV7, UUID_RANDOM_DIGITS } from "../core/uuid.ts";
import { BatchesStore } from "../store/batches-store.ts";
import { SubscriptionsStore } from "../store/subscriptions-store.ts";
import { batch } from "../stubs.ts";
import type { BatchRequest } from "../wire/native/batch-definition.ts";
import { parseDraft } from "../wire/native/draft.ts";
import { auditActorOf, callerOf } from "./caller.ts";
import { checkDrafts } from "./check-drafts.ts";
import type { HubContext } from "./context.ts";
import { readIdempotencyKey, scopeOf } from "./middleware/idempotency.ts";
import { reach } from "./reach.ts";
import { noteRejection } from "./schema-rejections.ts";
import { findTopic } from "./topic-directory.ts";

/**
 * Its row first, which holds the request's Idempotency-Key: one that broke off is repeated under it, and makes the same
 * batch. Then the object, which publishes the first jobs beside the answer. Lists show the row when the object stands;
 * where this request does not live to say so, the object does.
 */
export async function makeBatch(c: HubContext, request: BatchRequest): Promise<Result<BatchReport>> {
  const { principal } = c.var;
  const { topic, eventTopic } = request;
  if (![topic, eventTopic].every((name) => allows(principal, "publish", name))) return fail("scope_missing");
  const counted = await chooseSubscription(c, request);
  if (!counted.ok) return counted;
  const { jobs, name, mode, allowFailures, tells } = request;
  const kept = await checkJobs(c, topic, jobs);
  if (!kept.ok) return kept;
  const subscription = counted.value === null ? null : { id: counted.value.id, name: counted.value.name };
  const createdAt = Date.now();
  const minted = batchId(uuidV7(createdAt, randomDigits()).replaceAll("-", ""), subscription?.id ?? null);
  const batches = new BatchesStore(c.env.DB);
  const id = await batches.insert({ app: principal.app, id: minted, name, topic, createdAt }, requestKeyOf(c), {
    ...auditActorOf(callerOf(c)),
    action: "batch.created",
    subject: minted,
    before: null,
    after: { name, mode, topic, eventTopic, subscription: subscription?.name ?? null, jobs: jobs.length },
  });
  // A repeat that would count on another subscription than its first try is no repeat.
  if (subscriptionOfBatch(id) !== (subscription?.id ?? null)) return fail("idempotency_key_reused");
  const definition: BatchDefinition = {
    app: principal.app,
    id,
    name,
    mode,
    topic,
    eventTopic,
    subscription,
    allowFailures,
    tells,
    traceparent: c.req.header("traceparent") ?? null,
    createdAt,
  };
  const made = await reach(() => batch(c.env, principal.app, id).create(definition, jobs));
  // Sooner in the list; the object sees to it as well, so that a failure here takes nothing from what was made.
  if (made.ok) await batches.confirm(principal.app, id).catch(() => undefined);
  return made;
}

/** Names the request for the batch, which remembers it; null: without a key each request is its own. */
export function requestKeyOf(c: HubContext): string | null {
  const key = readIdempotencyKey(c.req.raw);
  return key.ok && key.value !== null ? JSON.stringify([scopeOf(c), key.value]) : null;
}

/**
 * Where the topic enforces schemas, a job that violates its own is refused at once: published later it would only fail.
 * Fails with `schema_violation`.
 */
export async function checkJobs(c: HubContext, topic: string, jobs: readonly NewBatchJob[]): Promise<Result<unknown>> {
  const found = await findTopic(c.env, c.var.principal.app, topic);
  if (!found.ok || found.value.schemaPolicy !== "enforce") return ok(null);
  const checked = await checkDrafts(c.env, found.value, draftsOf(jobs, "/jobs"));
  if (checked.ok) return checked;
  await noteRejection(c.env, callerOf(c), topic, checked.failure);
  if (checked.failure.errors === undefined) return checked;
  const errors = checked.failure.errors.map(({ pointer, detail }) => ({ pointer: asPayload(pointer), detail }));
  return { ok: false, failure: { ...checked.failure, errors } };
}

/** Those of batches inside as well. */
function draftsOf(jobs: readonly NewBatchJob[], root: string): EventDraft[] {
  return jobs.flatMap(({ draft }, index): EventDraft[] => {
    const at = `${root}/${index}`;
    const nested = readNested(draft);
    if (nested !== null) return draftsOf(nested.jobs, `${at}/batch/jobs`);
    const parsed = parseDraft(draft, { source: "/", traceparent: null });
    return parsed.ok ? [{ ...parsed.value, root: at }] : [];
  });
}

/** What an event calls data, a job calls its payload. */
const asPayload = (pointer: string): string => pointer.replace(/^((?:\/jobs\/\d+(?:\/batch)?)+)\/data/, "$1/payload");

const refuse = (detail: string): Result<never> =>
  fail("batch_invalid", detail, { errors: [{ pointer: "/subscription", detail }] });

/** Whose settling ends the jobs: the one that is named, or the only one that follows their topic. Null: workers say. */
async function chooseSubscription(
  c: HubContext,
  request: BatchRequest,
): Promise<Result<SubscriptionDefinition | null>> {
  if (request.subscription === null) return ok(null);
  const all = await new SubscriptionsStore(c.env.DB).all(c.var.principal.app);
  const following = all.filter(({ topics }) => topics.some((each) => matchesTopicPattern(each, request.topic)));
  if (request.subscription !== undefined) {
    const named = following.find(({ name }) => name === request.subscription);
    return named === undefined ? refuse("No subscription of that name follows the topic of the jobs.") : ok(named);
  }
  const [only, ...others] = following;
  if (only === undefined) return refuse("No subscription follows the topic of the jobs: make one, or say null.");
  return others.length === 0 ? ok(only) : refuse("Several follow the topic of the jobs: name the one that counts.");
}

const randomDigits = (): string =>
  [...crypto.getRandomValues(new Uint8Array(UUID_RANDOM_DIGITS / 2))]
    .map((byte) => byte.toString(16).padStart(2, "0"))
    .join("");
