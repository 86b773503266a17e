/** Schedules: events that are published by the clock. Who makes one manages its topic and may publish to it. */
import { Hono } from "hono";
import type { AuditAction, AuditEntry } from "../../core/audit.ts";
import { sameJson } from "../../core/json-equal.ts";
import type { ScheduleDefinition } from "../../core/cron-schedule.ts";
import { isSubscriptionName } from "../../core/names.ts";
import { allows, mayTouchSubscriptions } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { ScheduleReport } from "../../durable-objects/rpc/schedules.ts";
import { AuditStore } from "../../store/audit-store.ts";
import { schedules } from "../../stubs.ts";
import {
  formatSchedule,
  formatScheduleDefinition,
  parseScheduleDefinition,
} from "../../wire/native/schedule-definition.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { answerUnreached } from "../reach.ts";
import { jsonText, noContent, problem } from "../respond.ts";
import { listVisible } from "../visible-list.ts";

export const scheduleRoutes = new Hono<HubBindings>()
  .onError(answerUnreached)
  .get("/schedules", listSchedules)
  .get("/schedules/:name", getSchedule)
  .put("/schedules/:name", jsonBody, idempotency, putSchedule)
  .delete("/schedules/:name", jsonBody, idempotency, deleteSchedule);

async function listSchedules(c: HubContext): Promise<Response> {
  const { principal } = c.var;
  const page = await listVisible<ScheduleReport>(c, {
    nameOf: ({ definition }) => definition.name,
    isVisible: ({ definition }) => allows(principal, "manage", definition.topic),
    read: async (after, limit) => [...(await schedules(c.env, principal.app).list(after, limit))],
  });
  if (!page.ok) return problem(page.failure);
  const { items, cursor } = page.value;
  return jsonText(`{"items":[${items.map(formatSchedule).join(",")}],"cursor":${JSON.stringify(cursor)}}`);
}

async function getSchedule(c: HubContext): Promise<Response> {
  const found = await findSchedule(c);
  return found.ok ? jsonText(formatSchedule(found.value)) : problem(found.failure);
}

async function putSchedule(c: HubContext): Promise<Response> {
  const named = checkName(c);
  if (!named.ok) return problem(named.failure);
  const definition = parseScheduleDefinition(named.value, c.var.body);
  if (!definition.ok) return problem(definition.failure);
  const { topic } = definition.value;
  if (!mayManage(c, topic) || !allows(c.var.principal, "publish", topic)) return problem({ code: "scope_missing" });
  const put = await replace(c, definition.value);
  if (!put.ok) return problem(put.failure);
  return jsonText(formatSchedule(put.value.report), put.value.created ? 201 : 200);
}

/** Another request in between makes it look again. The audit log is told first, of what would be put. */
async function replace(
  c: HubContext,
  definition: ScheduleDefinition,
): Promise<Result<{ report: ScheduleReport; created: boolean }>> {
  const object = schedules(c.env, c.var.principal.app);
  const checked = await object.check(definition);
  if (!checked.ok) return checked;
  for (;;) {
    const before = await object.find(definition.name);
    if (before !== null && !mayManage(c, before.definition.topic)) return fail("scope_missing");
    if (before !== null && sameJson(before.definition, definition)) return ok({ report: before, created: false });
    const action = before === null ? "schedule.created" : "schedule.changed";
    await record(c, action, before?.definition ?? null, definition);
    const put = await object.put(definition, before?.revision ?? 0);
    if (!put.ok) return put;
    if (put.value !== null) return ok({ report: put.value, created: before === null });
  }
}

async function deleteSchedule(c: HubContext): Promise<Response> {
  const found = await findSchedule(c);
  if (!found.ok) return problem(found.failure);
  await record(c, "schedule.deleted", found.value.definition, null);
  const removed = await schedules(c.env, c.var.principal.app).remove(found.value.definition.name);
  return removed ? noContent() : problem({ code: "schedule_not_found" });
}

/** One within the credential's scopes; who has none that could be is told so before any is looked up. */
async function findSchedule(c: HubContext): Promise<Result<ScheduleReport>> {
  const named = checkName(c);
  if (!named.ok) return named;
  const found = await schedules(c.env, c.var.principal.app).find(named.value);
  return found !== null && mayManage(c, found.definition.topic) ? ok(found) : fail("schedule_not_found");
}

function checkName(c: HubContext): Result<string> {
  const name = c.req.param("name")!;
  if (!isSubscriptionName(name)) return fail("schedule_invalid", "That is not a name that a schedule can have.");
  return mayTouchSubscriptions(c.var.principal, "manage") ? ok(name) : fail("scope_missing");
}

const mayManage = (c: HubContext, topic: string): boolean => allows(c.var.principal, "manage", topic);

function record(
  c: HubContext,
  action: AuditAction,
  before: ScheduleDefinition | null,
  after: ScheduleDefinition | null,
): Promise<void> {
  const entry: AuditEntry = {
    ...auditActorOf(callerOf(c)),
    action,
    subject: c.req.param("name")!,
    before: before && formatScheduleDefinition(before),
    after: after && formatScheduleDefinition(after),
  };
  return new AuditStore(c.env.DB).record(entry);
}
