/** Commands: defined by name, and sent. */
import { Hono } from "hono";
import type { CommandDefinition, CommandTarget } from "../../core/command.ts";
import { isSubscriptionName } from "../../core/names.ts";
import { allows, mayManageCommand, maySendCommand } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { findCommandHandler } from "../../delivery/listener-registry.ts";
import { findConsumer } from "../../delivery/worker-target.ts";
import { CommandsStore } from "../../store/commands-store.ts";
import { topicLog } from "../../stubs.ts";
import { formatCommand, parseCommandDefinition } from "../../wire/native/command-definition.ts";
import { callerOf } from "../caller.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { idempotency } from "../middleware/idempotency.ts";
import { jsonBody } from "../middleware/json-body.ts";
import { json, noContent, problem } from "../respond.ts";
import { COMMAND_TOPIC } from "../run-command.ts";
import { sendCommand } from "../send-command.ts";
import { ensureTopic, findTopic } from "../topic-directory.ts";
import { listVisible } from "../visible-list.ts";
import { removeCommand, writeCommand } from "../write-command.ts";

export const commandRoutes = new Hono<HubBindings>()
  .get("/commands", listCommands)
  .get("/commands/:name", getCommand)
  .put("/commands/:name", jsonBody, idempotency, putCommand)
  .delete("/commands/:name", jsonBody, idempotency, deleteCommand)
  .post("/commands/:name", jsonBody, idempotency, sendCommand);

async function listCommands(c: HubContext): Promise<Response> {
  const { principal } = c.var;
  const page = await listVisible<CommandDefinition>(c, {
    nameOf: ({ name }) => name,
    isVisible: ({ name }) => maySendCommand(principal, name) || mayManageCommand(principal, name),
    read: (after, limit) => new CommandsStore(c.env.DB).list(principal.app, after, limit),
  });
  if (!page.ok) return problem(page.failure);
  return json({ items: page.value.items.map(formatCommand), cursor: page.value.cursor });
}

async function getCommand(c: HubContext): Promise<Response> {
  const name = c.req.param("name")!;
  const { principal } = c.var;
  if (!maySendCommand(principal, name) && !mayManageCommand(principal, name)) return problem({ code: "scope_missing" });
  const found = await new CommandsStore(c.env.DB).find(principal.app, name);
  return found === null ? problem({ code: "command_not_found" }) : json(formatCommand(found));
}

async function putCommand(c: HubContext): Promise<Response> {
  const name = c.req.param("name")!;
  if (!isSubscriptionName(name))
    return problem({ code: "command_invalid", detail: "That is not a name that a command can have." });
  if (!mayManageCommand(c.var.principal, name)) return problem({ code: "scope_missing" });
  const request = parseCommandDefinition(c.var.body);
  if (!request.ok) return problem(request.failure);
  // What the command appends, its maker might append; who sends it is not asked for that scope.
  if (!allows(c.var.principal, "publish", request.value.topic)) return problem({ code: "scope_missing" });
  const target = checkTarget(c, request.value.target);
  if (!target.ok) return problem(target.failure);
  const topic = await ensureTopic(c.env, callerOf(c), request.value.topic, COMMAND_TOPIC);
  if (!topic.ok) return problem(topic.failure);
  const written = await writeCommand(c, name, request.value);
  if (!written.ok) return problem(written.failure);
  return json(formatCommand(written.value.definition), written.value.created ? 201 : 200);
}

function checkTarget(c: HubContext, target: CommandTarget): Result<null> {
  if (target.kind === "worker")
    return findConsumer(c.env, target.binding) === null ? fail("worker_not_found") : ok(null);
  const isThere = findCommandHandler(target.name) !== null;
  return isThere ? ok(null) : fail("listener_not_found", "The hub was built without a command's handler of that name.");
}

async function deleteCommand(c: HubContext): Promise<Response> {
  const name = c.req.param("name")!;
  if (!mayManageCommand(c.var.principal, name)) return problem({ code: "scope_missing" });
  const removed = await removeCommand(c, name);
  if (removed === null) return problem({ code: "command_not_found" });
  c.executionCtx.waitUntil(forgetSnapshots(c, removed));
  return noContent();
}

/** Nobody goes on from them, for they are of a definition that is gone; this is for their room. */
async function forgetSnapshots(c: HubContext, { app, name, topic: topicName }: CommandDefinition): Promise<void> {
  const topic = await findTopic(c.env, app, topicName);
  if (!topic.ok) return;
  const logs = Array.from({ length: topic.value.partitions }, (_, at) => topicLog(c.env, app, topicName, at));
  await Promise.allSettled(logs.map((log) => log.forgetSnapshots(name)));
}
