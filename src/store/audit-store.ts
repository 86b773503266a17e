/** Who changed what, in order: rows that are only added, and forgotten after a year. */
import type { AuditEntry } from "../core/audit.ts";
import { LIMITS } from "../core/limits.ts";

/**
 * The row of a change, for the place right behind the change in one `batch`: it is written when that statement changed
 * a row, and not when another request was first or nothing was there to change.
 */
export const auditStatement = (db: D1Database, entry: AuditEntry): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO audit (app, at, actor, action, subject, before, after, request)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8 WHERE changes() > 0`,
    )
    .bind(...columnsOf(entry));

const columnsOf = (entry: AuditEntry): (string | number | null)[] => [
  entry.app,
  entry.at,
  entry.actor,
  entry.action,
  entry.subject,
  jsonOf(entry.before),
  jsonOf(entry.after),
  entry.request,
];

const jsonOf = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

export interface AuditRow extends Omit<AuditEntry, "app" | "before" | "after"> {
  /** Grows with the order of happening. */
  readonly seq: number;
  /** JSON text; null where there was or is nothing. */
  readonly before: string | null;
  readonly after: string | null;
}

export interface AuditPage {
  readonly rows: readonly AuditRow[];
  readonly isLast: boolean;
}

export interface AuditQuery {
  readonly app: string;
  readonly order: "asc" | "desc";
  /** The page begins behind this row; null: with the first of its order. */
  readonly after: number | null;
  readonly limit: number;
  /** Only rows of this action, of this subject; null: all. */
  readonly action: string | null;
  readonly subject: string | null;
}

export class AuditStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** For what happens outside D1: the row comes before the act, so that no act can go unseen. */
  async record(entry: AuditEntry): Promise<void> {
    await this.#db
      .prepare(
        `INSERT INTO audit (app, at, actor, action, subject, before, after, request)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
      )
      .bind(...columnsOf(entry))
      .run();
  }

  /** A page ends at `limit` rows or PAGE_BYTES_MAX of JSON; a row of D1 is smaller, so it holds at least one. */
  async list({ app, order, after, limit, action, subject }: AuditQuery): Promise<AuditPage> {
    const [beyond, direction] = order === "asc" ? ["seq > ?2", "ASC"] : ["seq < ?2", "DESC"];
    const { results } = await this.#db
      .prepare(
        `SELECT * FROM (
           SELECT seq, at, actor, action, subject, before, after, request, count(*) OVER () AS found,
             sum(coalesce(length(before), 0) + coalesce(length(after), 0)) OVER (ORDER BY seq ${direction}) AS chars
           FROM (SELECT * FROM audit WHERE app = ?1 AND ${beyond} AND action = coalesce(?3, action)
             AND subject = coalesce(?4, subject) ORDER BY seq ${direction} LIMIT ?5 + 1)
         ) WHERE chars <= ?6 ORDER BY seq ${direction}`,
      )
      .bind(
        app,
        after ?? (order === "asc" ? 0 : Number.MAX_SAFE_INTEGER),
        action,
        subject,
        limit,
        LIMITS.PAGE_BYTES_MAX,
      )
      .all<AuditRow & { readonly found: number }>();
    const rows = results.slice(0, limit);
    return { rows, isLast: rows.length === (results[0]?.found ?? 0) };
  }

  /** Looks at the oldest rows only, a bounded number a run. Answers how many went. */
  async purge(now: number): Promise<number> {
    const { meta } = await this.#db
      .prepare(
        `DELETE FROM audit WHERE seq IN (
           SELECT seq FROM (SELECT seq, at FROM audit ORDER BY seq LIMIT ?2) WHERE at < ?1)`,
      )
      .bind(now - LIMITS.AUDIT_KEEP_MS, PURGED_ROWS_MAX)
      .run();
    return meta.changes;
  }
}

const PURGED_ROWS_MAX = 100;
