/** An app's policies: what topics keep that a first publish or subscribe makes. They are its admins'. */
import { Hono } from "hono";
import type { AuditAction, AuditEntry } from "../../core/audit.ts";
import { LIMITS } from "../../core/limits.ts";
import { isSubscriptionName } from "../../core/names.ts";
import { isAdmin } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { TopicPolicy } from "../../core/topic-policy.ts";
import { PoliciesStore } from "../../store/policies-store.ts";
import { formatPolicy, parsePolicy } from "../../wire/native/policy-definition.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readListQuery } from "../list-query.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { json, noContent, problem } from "../respond.ts";

export const policyRoutes = new Hono<HubBindings>()
  .get("/policies", listPolicies)
  .get("/policies/:name", getPolicy)
  .put("/policies/:name", jsonBody, idempotency, putPolicy)
  .delete("/policies/:name", jsonBody, idempotency, deletePolicy);

async function listPolicies(c: HubContext): Promise<Response> {
  if (!isAdmin(c.var.principal)) return problem({ code: "scope_missing" });
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const { after, limit } = query.value;
  const all = await new PoliciesStore(c.env.DB).all(c.var.principal.app); // At most a hundred.
  const rest = all.filter(({ name }) => name > after);
  const items = rest.slice(0, limit);
  return json({ items: items.map(formatPolicy), cursor: items.length < rest.length ? items.at(-1)!.name : null });
}

async function getPolicy(c: HubContext): Promise<Response> {
  const found = await findPolicy(c);
  if (!found.ok) return problem(found.failure);
  return found.value === null ? problem({ code: "policy_not_found" }) : json(formatPolicy(found.value));
}

async function putPolicy(c: HubContext): Promise<Response> {
  const before = await findPolicy(c);
  if (!before.ok) return problem(before.failure);
  const policy = parsePolicy(c.req.param("name")!, c.var.body);
  if (!policy.ok) return problem(policy.failure);
  if (before.value !== null && JSON.stringify(before.value) === JSON.stringify(policy.value))
    return json(formatPolicy(policy.value));
  const entry = entryOf(c, before.value === null ? "policy.created" : "policy.changed", before.value, policy.value);
  const put = await new PoliciesStore(c.env.DB).put(policy.value, entry);
  if (!put) return problem({ code: "quota_exceeded", detail: "The app has too many.", limit: LIMITS.APP_POLICIES_MAX });
  return json(formatPolicy(policy.value), before.value === null ? 201 : 200);
}

async function deletePolicy(c: HubContext): Promise<Response> {
  const found = await findPolicy(c);
  if (!found.ok) return problem(found.failure);
  const policy = found.value;
  const removed =
    policy !== null &&
    (await new PoliciesStore(c.env.DB).remove(policy.name, entryOf(c, "policy.deleted", policy, null)));
  return removed ? noContent() : problem({ code: "policy_not_found" });
}

/** Null: there is none of that name. */
async function findPolicy(c: HubContext): Promise<Result<TopicPolicy | null>> {
  if (!isAdmin(c.var.principal)) return fail("scope_missing");
  const name = c.req.param("name")!;
  if (!isSubscriptionName(name)) return fail("policy_invalid", "That is not a name that a policy can have.");
  return ok(await new PoliciesStore(c.env.DB).find(c.var.principal.app, name));
}

const entryOf = (
  c: HubContext,
  action: AuditAction,
  before: TopicPolicy | null,
  after: TopicPolicy | null,
): AuditEntry => ({
  ...auditActorOf(callerOf(c)),
  action,
  subject: c.req.param("name")!,
  before: before === null ? null : formatPolicy(before),
  after: after === null ? null : formatPolicy(after),
});
