/** A command's row: written over what was read, removed as it was read, and told to the audit log either way. */
import type { AuditAction, AuditEntry } from "../core/audit.ts";
import type { CommandDefinition } from "../core/command.ts";
import { LIMITS } from "../core/limits.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { CommandsStore } from "../store/commands-store.ts";
import { formatCommand, type CommandRequest } from "../wire/native/command-definition.ts";
import { auditActorOf, callerOf } from "./caller.ts";
import { forgetCommand } from "./command-directory.ts";
import type { HubContext } from "./context.ts";

/** Another request in between makes it look again; what changes nothing writes nothing. Fails with `quota_exceeded`. */
export async function writeCommand(
  c: HubContext,
  name: string,
  request: CommandRequest,
): Promise<Result<{ definition: CommandDefinition; created: boolean }>> {
  const store = new CommandsStore(c.env.DB);
  const { app } = c.var.principal;
  for (;;) {
    const before = await store.find(app, name);
    const id = before?.id ?? crypto.randomUUID().replaceAll("-", "");
    const revision = before?.revision ?? 0;
    const next = { id, app, name, revision, ...request };
    if (before !== null && JSON.stringify(before) === JSON.stringify(next))
      return ok({ definition: before, created: false });
    const definition: CommandDefinition = { ...next, revision: revision + 1 };
    const entry = entryOf(c, before === null ? "command.created" : "command.changed", before, definition);
    const isWritten = before === null ? await store.insert(definition, entry) : await store.replace(definition, entry);
    forgetCommand(app, name);
    if (isWritten) return ok({ definition, created: before === null });
    if (before === null && (await store.find(app, name)) === null)
      return fail("quota_exceeded", "There are as many commands as there may be.", { limit: LIMITS.APP_COMMANDS_MAX });
  }
}

/** What was removed; null: there is none of that name. */
export async function removeCommand(c: HubContext, name: string): Promise<CommandDefinition | null> {
  const store = new CommandsStore(c.env.DB);
  const { app } = c.var.principal;
  for (;;) {
    const found = await store.find(app, name);
    if (found === null) return null;
    const isRemoved = await store.remove(found, entryOf(c, "command.deleted", found, null));
    forgetCommand(app, name);
    if (isRemoved) return found;
  }
}

const entryOf = (
  c: HubContext,
  action: AuditAction,
  before: CommandDefinition | null,
  after: CommandDefinition | null,
): AuditEntry => ({
  ...auditActorOf(callerOf(c)),
  action,
  subject: c.req.param("name")!,
  before: before === null ? null : formatCommand(before),
  after: after === null ? null : formatCommand(after),
});
