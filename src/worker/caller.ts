/** On whose behalf something is done: what reaches a topic's birth or a publish, from a route or from a hub. */
import type { AuditActor } from "../core/audit.ts";
import { principalKey, type Principal } from "../core/principal.ts";
import type { HubContext } from "./context.ts";

export interface Caller {
  readonly principal: Principal;
  /** The X-Request-Id. */
  readonly request: string;
  /** Who stands in the audit log when it is not the principal. */
  readonly actor?: string;
  /** Keeps work going that nobody waits for. Absent: there is none. */
  beside?(work: Promise<unknown>): void;
}

export const callerOf = (c: HubContext): Caller => ({
  principal: c.get("principal"),
  request: c.get("requestId"),
  beside: (work) => c.executionCtx.waitUntil(work),
});

export const auditActorOf = ({ principal, request, actor }: Caller): AuditActor => ({
  app: principal.app,
  actor: actor ?? principalKey(principal),
  request,
  at: Date.now(),
});
