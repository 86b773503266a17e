/** `GET /v1/audit`: who changed what in the app, and when. */
import { Hono } from "hono";
import { isAdmin } from "../../core/principal.ts";
import { AuditStore } from "../../store/audit-store.ts";
import { formatAuditPage } from "../../wire/native/audit.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readListQuery } from "../list-query.ts";
import { jsonText, problem } from "../respond.ts";

export const auditRoutes = new Hono<HubBindings>().get("/audit", listAudit);

/** In the order of happening, or with `order=desc` the newest first. The cursor is the last number seen. */
async function listAudit(c: HubContext): Promise<Response> {
  if (!isAdmin(c.var.principal)) return problem({ code: "scope_missing" });
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const { after, limit } = query.value;
  if (!/^\d{0,15}$/.test(after)) return problem({ code: "cursor_invalid" });
  const order = c.req.query("order") ?? "asc";
  if (order !== "asc" && order !== "desc")
    return problem({ code: "parameter_invalid", detail: "order is asc or desc." });
  const { rows, isLast } = await new AuditStore(c.env.DB).list({
    app: c.var.principal.app,
    order,
    after: after === "" ? null : Number(after),
    limit,
    action: c.req.query("action") ?? null,
    subject: c.req.query("subject") ?? null,
  });
  return jsonText(formatAuditPage(rows, isLast ? null : String(rows.at(-1)!.seq)));
}
