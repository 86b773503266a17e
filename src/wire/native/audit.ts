/** What the audit log shows of definitions, and how `GET /v1/audit` answers. */
import type { AuditAction } from "../../core/audit.ts";
import type { SubscriptionDefinition } from "../../core/subscription.ts";
import { formatSubscription, type SubscriptionView } from "./subscription-definition.ts";

export interface AuditedSubscription extends SubscriptionView {
  /** Grows with each change, so that one of what is not shown (a secret, a header's value) can be told as well. */
  readonly revision: number;
}

export const auditedSubscription = (definition: SubscriptionDefinition): AuditedSubscription => ({
  ...formatSubscription(definition),
  revision: definition.revision,
});

export interface AuditView {
  /** Grows with the order of happening. */
  readonly seq: number;
  readonly at: number;
  readonly actor: string;
  readonly action: AuditAction;
  readonly subject: string;
  /** JSON text as it was written; null where there was or is nothing. */
  readonly before: string | null;
  readonly after: string | null;
  readonly request: string;
}

/** The definitions go in as the text that they are. */
export function formatAuditPage(items: readonly AuditView[], cursor: string | null): string {
  return `{"items":[${items.map(formatAuditItem).join(",")}],"cursor":${JSON.stringify(cursor)}}`;
}

function formatAuditItem({ seq, at, actor, action, subject, before, after, request }: AuditView): string {
  const head = JSON.stringify({ seq, at: new Date(at).toISOString(), actor, action, subject }).slice(0, -1);
  return `${head},"before":${before},"after":${after},"request":${JSON.stringify(request)}}`;
}
