/** Batches of jobs: made, looked at, extended, cancelled, and what failed tried again. */
import { Hono } from "hono";
import type { AuditAction } from "../../core/audit.ts";
import type { BatchJobState, BatchReport } from "../../core/job-batch.ts";
import { LIMITS } from "../../core/limits.ts";
import { allows } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Action } from "../../core/scope.ts";
import { AuditStore } from "../../store/audit-store.ts";
import { BatchesStore, type BatchRow } from "../../store/batches-store.ts";
import { formatBatch, formatBatchJob } from "../../wire/native/batch.ts";
import { parseBatchDefinition, parseJobEnd, parseMoreJobs } from "../../wire/native/batch-definition.ts";
import { findBatch, type FoundBatch } from "../batch-lookup.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readWhole } from "../list-query.ts";
import { checkJobs, makeBatch, requestKeyOf } from "../make-batch.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { reach } from "../reach.ts";
import { json, problem } from "../respond.ts";
import { listVisible } from "../visible-list.ts";

export const batchRoutes = new Hono<HubBindings>()
  .get("/batches", listBatches)
  .post("/batches", jsonBody, idempotency, postBatch)
  .get("/batches/:id", getBatch)
  .get("/batches/:id/jobs", listJobs)
  .post("/batches/:id/jobs", jsonBody, idempotency, postJobs)
  .post("/batches/:id/cancel", jsonBody, idempotency, cancelBatch)
  .post("/batches/:id/retry", jsonBody, idempotency, retryBatch)
  .post("/batches/:id/jobs/:index/complete", jsonBody, idempotency, (c) => endJob(c, "completed"))
  .post("/batches/:id/jobs/:index/fail", jsonBody, idempotency, (c) => endJob(c, "failed"));

/** Each of them, on the topic of the jobs, lets a credential look. */
const LOOKERS: readonly Action[] = ["publish", "history"];

async function postBatch(c: HubContext): Promise<Response> {
  const request = parseBatchDefinition(c.var.body);
  if (!request.ok) return problem(request.failure);
  const made = await makeBatch(c, request.value);
  return answer(made, 201);
}

async function listBatches(c: HubContext): Promise<Response> {
  const page = await listVisible<BatchRow>(c, {
    nameOf: ({ id }) => id,
    isVisible: ({ topic }) => LOOKERS.some((action) => allows(c.var.principal, action, topic)),
    read: (after, limit) => new BatchesStore(c.env.DB).list(c.var.principal.app, after, limit),
  });
  if (!page.ok) return problem(page.failure);
  const items = page.value.items.map(({ id, name, topic, state, createdAt }) => ({
    id,
    name,
    topic,
    state,
    createdAt: new Date(createdAt).toISOString(),
  }));
  return json({ items, cursor: page.value.cursor });
}

async function getBatch(c: HubContext): Promise<Response> {
  const found = await findBatch(c, LOOKERS);
  return found.ok ? answer(await reach(() => found.value.object().report())) : problem(found.failure);
}

const STATES: readonly BatchJobState[] = ["open", "completed", "failed", "cancelled"];

/** By index; the cursor is the last one shown. */
async function listJobs(c: HubContext): Promise<Response> {
  const found = await findBatch(c, LOOKERS);
  if (!found.ok) return problem(found.failure);
  const limit = readWhole(c, "limit", 1, LIMITS.LIST_ITEMS_MAX);
  if (!limit.ok) return problem(limit.failure);
  const after = readWhole(c, "cursor", 0, LIMITS.BATCH_JOBS_MAX);
  if (!after.ok) return problem({ code: "cursor_invalid" });
  const state = c.req.query("state") ?? null;
  if (state !== null && !STATES.includes(state as BatchJobState))
    return problem({ code: "parameter_invalid", detail: `state is one of: ${STATES.join(", ")}.` });
  const rows = limit.value ?? LIMITS.LIST_ITEMS_DEFAULT;
  const jobs = await reach(() => found.value.object().jobs(state as BatchJobState | null, after.value ?? -1, rows + 1));
  if (!jobs.ok) return problem(jobs.failure);
  const items = jobs.value.slice(0, rows);
  const cursor = items.length < jobs.value.length ? String(items.at(-1)!.index) : null;
  return json({ items: items.map((job) => formatBatchJob(found.value.row.id, job)), cursor });
}

async function postJobs(c: HubContext): Promise<Response> {
  const found = await findBatch(c, ["publish"]);
  if (!found.ok) return problem(found.failure);
  const jobs = parseMoreJobs(c.var.body);
  if (!jobs.ok) return problem(jobs.failure);
  const kept = await checkJobs(c, found.value.row.topic, jobs.value);
  if (!kept.ok) return problem(kept.failure);
  await record(c, found.value, "batch.extended", { jobs: jobs.value.length });
  const key = requestKeyOf(c);
  return answer(await reach(() => found.value.object().add(jobs.value, key)));
}

async function cancelBatch(c: HubContext): Promise<Response> {
  const found = await findBatch(c, ["publish"]);
  if (!found.ok) return problem(found.failure);
  await record(c, found.value, "batch.cancelled", { state: "cancelled" });
  return answer(await reach(() => found.value.object().cancel()));
}

async function retryBatch(c: HubContext): Promise<Response> {
  const found = await findBatch(c, ["publish"]);
  if (!found.ok) return problem(found.failure);
  await record(c, found.value, "batch.retried", { state: "running" });
  return answer(await reach(() => found.value.object().retry()));
}

/** A worker says what became of a job: who may read jobs may say so, as a pull worker may ack. */
async function endJob(c: HubContext, outcome: "completed" | "failed"): Promise<Response> {
  const found = await findBatch(c, ["publish", "subscribe"]);
  if (!found.ok) return problem(found.failure);
  const index = readIndex(c.req.param("index")!);
  if (!index.ok) return problem(index.failure);
  const reason = parseJobEnd(c.var.body);
  if (!reason.ok) return problem(reason.failure);
  const told = outcome === "failed" ? (reason.value ?? "failed") : null;
  const ended = await reach(() => found.value.object().endJob(index.value, outcome, told));
  return ended.ok ? json(formatBatchJob(found.value.row.id, ended.value)) : problem(ended.failure);
}

function readIndex(text: string): Result<number> {
  return /^\d{1,6}$/.test(text) ? ok(Number(text)) : fail("batch_job_not_found");
}

/** The audit log is told first: no change goes unseen, and one that is refused was asked for. */
function record(c: HubContext, { row }: FoundBatch, action: AuditAction, after: unknown): Promise<void> {
  const entry = { ...auditActorOf(callerOf(c)), action, subject: row.id, before: { state: row.state }, after };
  return new AuditStore(c.env.DB).record(entry);
}

const answer = (report: Result<BatchReport>, status = 200): Response =>
  report.ok ? json(formatBatch(report.value), status) : problem(report.failure);
