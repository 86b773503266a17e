/** What the audit log tells of one change. Nothing secret may stand in `before` and `after`. */
export type AuditAction =
  | "app.created"
  | "app.changed"
  | "app.deleted"
  | "command.created"
  | "command.changed"
  | "command.deleted"
  | "batch.cancelled"
  | "batch.created"
  | "batch.extended"
  | "batch.retried"
  | "credential.revoked"
  | "dead_letters.discarded"
  | "dead_letters.redriven"
  | "delivery.hastened"
  | "delivery.skipped"
  | "event.cancelled"
  | "job.cancelled"
  | "key.created"
  | "key.revoked"
  | "key.rotated"
  | "policy.created"
  | "policy.changed"
  | "policy.deleted"
  | "schedule.changed"
  | "schedule.created"
  | "schedule.deleted"
  | "schema.changed"
  | "schema.registered"
  | "subscription.created"
  | "subscription.changed"
  | "subscription.deleted"
  | "subscription.paused"
  | "subscription.replayed"
  | "subscription.resumed"
  | "subscription.sought"
  | "subscription.secret_rotated"
  | "topic.created"
  | "topic.changed"
  | "topic.deleted"
  | "user.disconnected";

/** Who asks, by which request, when: what every change has in common. */
export interface AuditActor {
  readonly app: string;
  /** `principalKey`. */
  readonly actor: string;
  /** The X-Request-Id. */
  readonly request: string;
  /** Milliseconds. */
  readonly at: number;
}

export interface AuditEntry extends AuditActor {
  readonly action: AuditAction;
  /** The name or id of what was changed. */
  readonly subject: string;
  /** What it was and what it became, as it would be shown; null where there was or is nothing. */
  readonly before: unknown;
  readonly after: unknown;
}
