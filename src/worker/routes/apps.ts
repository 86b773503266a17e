/** Apps: made, read, changed and deleted by name, with the root key only. */
import { Hono } from "hono";
import { makeRevocation } from "../../core/revocation.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { AuditAction, AuditEntry } from "../../core/audit.ts";
import { AppsStore, type AppRecord } from "../../store/apps-store.ts";
import { formatApp, parseAppChange, parseAppRequest } from "../../wire/native/app-definition.ts";
import { learn } from "../access/access-changes.ts";
import { clearApp } from "../access/end-app.ts";
import { enforce } from "../access/revoke.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readListQuery } from "../list-query.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { json, noContent, problem } from "../respond.ts";

export const appRoutes = new Hono<HubBindings>()
  .get("/apps", listApps)
  .post("/apps", jsonBody, idempotency, createApp)
  .get("/apps/:app", getApp)
  .patch("/apps/:app", jsonBody, idempotency, changeApp)
  .delete("/apps/:app", jsonBody, idempotency, deleteApp);

/** The root key works here where no other app is named. */
const DEFAULT_APP = "default";
/** As migration 0001 has made it. */
const DEFAULT_APP_ID = "app_default";

async function listApps(c: HubContext): Promise<Response> {
  if (!isRoot(c)) return problem({ code: "scope_missing" });
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const { after, limit } = query.value;
  const apps = await new AppsStore(c.env.DB).list(after, limit);
  return json({ items: apps.map(formatApp), cursor: apps.length < limit ? null : apps.at(-1)!.name });
}

async function getApp(c: HubContext): Promise<Response> {
  const app = await findNamed(c);
  return app.ok ? json(formatApp(app.value)) : problem(app.failure);
}

async function createApp(c: HubContext): Promise<Response> {
  if (!isRoot(c)) return problem({ code: "scope_missing" });
  const request = parseAppRequest(c.var.body);
  if (!request.ok) return problem(request.failure);
  const id = `app_${crypto.randomUUID().replaceAll("-", "")}`;
  const app: AppRecord = { id, ...request.value, createdAt: c.var.receivedAt };
  const isNew = await new AppsStore(c.env.DB).insert(app, entryOf(c, "app.created", null, app));
  return isNew ? json(formatApp(app), 201) : problem({ code: "app_conflict" });
}

/** Over the app as it was read; another request in between makes it read again. */
async function changeApp(c: HubContext): Promise<Response> {
  if (!isRoot(c)) return problem({ code: "scope_missing" });
  const change = parseAppChange(c.var.body);
  if (!change.ok) return problem(change.failure);
  for (;;) {
    const app = await findNamed(c);
    if (!app.ok) return problem(app.failure);
    const changed = { ...app.value, ...change.value };
    if (JSON.stringify(changed) === JSON.stringify(app.value)) return json(formatApp(changed));
    const entry = entryOf(c, "app.changed", app.value, changed);
    if (!(await new AppsStore(c.env.DB).replace(app.value, changed, entry))) continue;
    const { id } = changed;
    learn({ app: id, kind: "changed_app", subject: id, at: entry.at, expiresAt: entry.at });
    return json(formatApp(changed));
  }
}

async function deleteApp(c: HubContext): Promise<Response> {
  const app = await findNamed(c);
  if (!app.ok) return problem(app.failure);
  if (app.value.name === DEFAULT_APP) return problem({ code: "app_reserved" });
  const { id } = app.value;
  const entry = entryOf(c, "app.deleted", app.value, null);
  const revocation = makeRevocation(id, "app", id, entry.at);
  if (!(await new AppsStore(c.env.DB).remove(revocation, entry))) return problem({ code: "app_not_found" });
  await enforce(c.env, revocation);
  c.executionCtx.waitUntil(clearApp(c.env, id).catch(() => {})); // What fails here is the cron's.
  return noContent();
}

const isRoot = (c: HubContext): boolean => c.var.principal.kind === "root";

/** Past the cache: what is changed must be what stands there. */
async function findNamed(c: HubContext): Promise<Result<AppRecord>> {
  if (!isRoot(c)) return fail("scope_missing");
  const app = await new AppsStore(c.env.DB).find(c.req.param("app")!);
  return app === null ? fail("app_not_found") : ok(app);
}

/** What is told of an app stands in its own log, whichever app the root key works in; its end, in that of `default`. */
function entryOf(c: HubContext, action: AuditAction, before: AppRecord | null, after: AppRecord | null): AuditEntry {
  const { id, name } = (after ?? before)!;
  const shown = { before: before && formatApp(before), after: after && formatApp(after) };
  const app = after === null ? DEFAULT_APP_ID : id;
  return { ...auditActorOf(callerOf(c)), app, action, subject: name, ...shown };
}
