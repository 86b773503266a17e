/** Dead letters: read, delivered again, or given up for good. The live cursor never moves. */
import { Hono } from "hono";
import { parseListCursor } from "../../core/ledger-ids.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { SubscriptionDefinition } from "../../core/subscription.ts";
import type { DeadLetterChoice } from "../../durable-objects/rpc.ts";
import { AuditStore } from "../../store/audit-store.ts";
import { subscription } from "../../stubs.ts";
import { formatDeadLetters } from "../../wire/native/dead-letters.ts";
import { auditActorOf, callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readListQuery } from "../list-query.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { json, jsonText, problem } from "../respond.ts";
import { findSubscription } from "../subscription-lookup.ts";

export const deadLetterRoutes = new Hono<HubBindings>()
  .get("/subscriptions/:name/dead-letters", listDeadLetters)
  .post("/subscriptions/:name/dead-letters/redrive", jsonBody, idempotency, (c) => choose(c, "redrive"))
  .post("/subscriptions/:name/dead-letters/discard", jsonBody, idempotency, (c) => choose(c, "discard"));

async function listDeadLetters(c: HubContext): Promise<Response> {
  const found = await findSubscription(c);
  if (!found.ok) return problem(found.failure);
  const query = readListQuery(c);
  if (!query.ok) return problem(query.failure);
  const { after, limit } = query.value;
  if (after !== "" && parseListCursor(after) === null) return problem({ code: "cursor_invalid" });
  const page = await subscription(c.env, found.value.app, found.value.id).deadLetters(
    after === "" ? null : after,
    limit,
  );
  return jsonText(formatDeadLetters(page));
}

async function choose(c: HubContext, verb: "redrive" | "discard"): Promise<Response> {
  const found = await findSubscription(c, "redrive");
  if (!found.ok) return problem(found.failure);
  const choice = parseChoice(c.var.body);
  if (!choice.ok) return problem(choice.failure);
  if (!choice.value.dryRun) await recordRepair(c, found.value, verb, choice.value.choice);
  const matched = await subscription(c.env, found.value.app, found.value.id)[verb](
    choice.value.choice,
    choice.value.dryRun,
  );
  return matched.ok ? json({ matched: matched.value }) : problem(matched.failure);
}

/** Before the repair, so that none goes unseen: what was asked for, and how many there were to it at that moment. */
async function recordRepair(
  c: HubContext,
  { app, id, name }: SubscriptionDefinition,
  verb: "redrive" | "discard",
  choice: DeadLetterChoice,
): Promise<void> {
  const counted = await subscription(c.env, app, id)[verb](choice, true);
  const chosen = choice.kind === "all" ? { all: true } : { ids: choice.ids };
  await new AuditStore(c.env.DB).record({
    ...auditActorOf(callerOf(c)),
    action: verb === "redrive" ? "dead_letters.redriven" : "dead_letters.discarded",
    subject: name,
    before: null,
    after: { ...chosen, matched: counted.ok ? counted.value : 0 },
  });
}

/** `{ "ids": […] }` or `{ "all": true }`, with `"dryRun": true` to count only. */
function parseChoice(body: string): Result<{ choice: DeadLetterChoice; dryRun: boolean }> {
  const parsed = parseObject(body);
  if (parsed === null) return fail("json_invalid");
  const { ids, all, dryRun = false, ...others } = parsed;
  const other = Object.keys(others)[0];
  if (other !== undefined) return refuse(`/${other}`, "This is not offered yet, or not known.");
  if (typeof dryRun !== "boolean") return refuse("/dryRun", "This is true or false.");
  if (all === true && ids === undefined) return ok({ choice: { kind: "all" }, dryRun });
  const valid =
    all === undefined &&
    Array.isArray(ids) &&
    ids.length > 0 &&
    ids.length <= LIMITS.LIST_ITEMS_MAX &&
    ids.every((id) => typeof id === "string" && id.length <= 200);
  if (!valid) return refuse("", `Say either all: true or ids: a list of 1 to ${LIMITS.LIST_ITEMS_MAX}.`);
  return ok({ choice: { kind: "ids", ids: ids as string[] }, dryRun });
}

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

const refuse = (pointer: string, detail: string): Result<never> =>
  fail("parameter_invalid", detail, { errors: [{ pointer, detail }] });
