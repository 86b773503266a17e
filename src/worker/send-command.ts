/** `POST /v1/commands/{name}`: judged, run to its end, and answered. */
import type { SentCommand } from "../core/command.ts";
import { maySendCommand } from "../core/principal.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { logStage } from "../observability/log.ts";
import { parseCommandRequest } from "../wire/native/command-request.ts";
import { callerOf } from "./caller.ts";
import { findCommand, type KnownCommand } from "./command-directory.ts";
import type { HubContext } from "./context.ts";
import { fingerprintOf, readIdempotencyKey, scopeOf } from "./middleware/idempotency.ts";
import { draftDefaults, formatPublishReceipts } from "./publish-request.ts";
import { json, jsonText, problem } from "./respond.ts";
import { runCommand, type CommandOutcome } from "./run-command.ts";
import { deliverSync } from "./sync-delivery.ts";
import { findSyncSubscriptions, type SyncSubscription } from "./sync-directory.ts";

export async function sendCommand(c: HubContext): Promise<Response> {
  const name = c.req.param("name")!;
  const { principal } = c.var;
  if (!maySendCommand(principal, name)) return problem({ code: "scope_missing" });
  const sent = parseCommandRequest(c.var.body === "" ? "{}" : c.var.body);
  if (!sent.ok) return problem(sent.failure);
  const command = await findCommand(c.env, principal.app, name);
  if (!command.ok) return problem(command.failure);
  const checked = checkPayload(command.value, sent.value);
  if (!checked.ok) return problem(checked.failure);
  return send(c, command.value, sent.value);
}

function checkPayload({ validator }: KnownCommand, { payload }: SentCommand): Result<null> {
  const violations = validator?.violations(JSON.parse(payload), payload.length) ?? [];
  if (violations.length === 0) return ok(null);
  const errors = violations.map(({ pointer, detail }) => ({ pointer: `/payload${pointer}`, detail }));
  return fail("command_invalid", errors[0]!.detail, { errors });
}

async function send(c: HubContext, command: KnownCommand, sent: SentCommand): Promise<Response> {
  const startedAt = Date.now();
  const { app, name, topic } = command.definition;
  const looked = findSyncSubscriptions(c.env, app, topic);
  const later = (work: Promise<unknown>): void => c.executionCtx.waitUntil(work);
  const asked = { command, sent, request: requestOf(c), defaults: draftDefaults(c) };
  const outcome = await runCommand({ env: c.env, caller: callerOf(c), ...asked, later });
  const status = outcome.ok ? outcome.value.status : outcome.failure.code;
  logStage("command.decided", { app, command: name, topic, status, duration_ms: Date.now() - startedAt });
  return outcome.ok ? answerOutcome(c, outcome.value, await looked) : problem(outcome.failure);
}

/** The log decides by it whether the command has been here; without a key of the client's it comes once. */
function requestOf(c: HubContext): { key: string; fingerprint: string } {
  const key = readIdempotencyKey(c.req.raw);
  const given = key.ok ? key.value : null;
  const name = given === null ? ["command", crypto.randomUUID()] : [scopeOf(c), given];
  return { key: JSON.stringify(name), fingerprint: fingerprintOf(c.var.body) };
}

async function answerOutcome(
  c: HubContext,
  outcome: CommandOutcome,
  subscriptions: readonly SyncSubscription[],
): Promise<Response> {
  const { attempts } = outcome;
  if (outcome.status === "rejected") return json({ status: "rejected", events: [], reason: outcome.reason, attempts });
  const { receipts, replayed } = outcome.published;
  const sync = await deliverSync(c.env, c.executionCtx, subscriptions, outcome.published);
  const outcomes = sync.length === 0 ? "" : `,"sync":${JSON.stringify(sync)}`;
  const events = formatPublishReceipts(receipts).join(",");
  const text = `{"status":"accepted","events":[${events}],"attempts":${attempts}${outcomes}}`;
  return jsonText(text, 200, replayed ? { "idempotent-replayed": "true" } : {});
}
