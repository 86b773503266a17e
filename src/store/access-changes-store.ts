/** What isolates must hear of at once, in the order of happening: revocations, and keys and apps that changed. */
import type { AuditEntry } from "../core/audit.ts";
import { LIMITS } from "../core/limits.ts";
import type { Revocation } from "../core/revocation.ts";
import { auditStatement } from "./audit-store.ts";

/** `changed_key` and `changed_app` refuse nobody: they make caches forget. */
export interface AccessChange extends Omit<Revocation, "kind"> {
  readonly kind: Revocation["kind"] | "changed_key" | "changed_app";
}

export interface NumberedChange extends AccessChange {
  /** Grows with each change of any app. */
  readonly version: number;
}

/** Something else than a credential changed: by then every cache has forgotten it by itself. */
export const cacheChange = (
  app: string,
  kind: "changed_key" | "changed_app",
  subject: string,
  at: number,
): AccessChange => ({ app, kind, subject, at, expiresAt: at + 2 * LIMITS.CONFIG_CACHE_MS });

/**
 * The row of a change, for the place right behind its row of the audit log in one `batch`, or behind another such row:
 * it is written when that one is. Revocations are not settled before the app's hubs have heard of them.
 */
export const changeStatement = (db: D1Database, change: AccessChange): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO access_changes (app, kind, subject, at, expires_at, settled)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE changes() > 0`,
    )
    .bind(...columnsOf(change));

const columnsOf = ({ app, kind, subject, at, expiresAt }: AccessChange): (string | number)[] => [
  app,
  kind,
  subject,
  at,
  expiresAt,
  kind === "changed_key" || kind === "changed_app" ? 1 : 0,
];

interface Row {
  version: number;
  app: string;
  kind: AccessChange["kind"];
  subject: string;
  at: number;
  expires_at: number;
}

const PURGED_ROWS_MAX = 5_000;

export class AccessChangesStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** What came after `version` and still matters, oldest first. */
  async after(version: number, now: number, limit: number): Promise<NumberedChange[]> {
    const { results } = await this.#db
      .prepare(`SELECT * FROM access_changes WHERE version > ?1 AND expires_at > ?2 ORDER BY version LIMIT ?3`)
      .bind(version, now, limit)
      .all<Row>();
    return results.map(changeOf);
  }

  /** What may still refuse somebody in one app, after `version`, oldest first. */
  async revocationsOf(
    app: string,
    version: number,
    now: number,
    limit: number,
  ): Promise<(Revocation & Pick<NumberedChange, "version">)[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT * FROM access_changes
         WHERE app = ?1 AND version > ?2 AND expires_at > ?3 AND kind NOT IN ('changed_key', 'changed_app')
         ORDER BY version LIMIT ?4`,
      )
      .bind(app, version, now, limit)
      .all<Row>();
    return results.map(changeOf) as (Revocation & Pick<NumberedChange, "version">)[];
  }

  /**
   * Takes back the tokens of a user, or one token: of neither is there a row. An earlier revocation of the same subject
   * goes, since this one covers it. False when the app has as many of others as it may; counted in the same statement.
   */
  async revoke(
    revocation: Revocation,
    entry: AuditEntry,
    revocationsMax: number = LIMITS.APP_REVOCATIONS_MAX,
  ): Promise<boolean> {
    const { app, kind, subject, at } = revocation;
    const insert = this.#db
      .prepare(
        `INSERT INTO access_changes (app, kind, subject, at, expires_at, settled) SELECT ?1, ?2, ?3, ?4, ?5, ?6
         WHERE (SELECT count(*) FROM access_changes WHERE app = ?1 AND kind IN ('user', 'token')
           AND expires_at > ?4 AND NOT (kind = ?2 AND subject = ?3)) < ?7`,
      )
      .bind(...columnsOf(revocation), revocationsMax);
    const removal = this.#db
      .prepare(
        `DELETE FROM access_changes WHERE app = ?1 AND kind = ?2 AND subject = ?3 AND at <= ?4 AND version < (
           SELECT max(version) FROM access_changes WHERE app = ?1 AND kind = ?2 AND subject = ?3)`,
      )
      .bind(app, kind, subject, at);
    const [inserted] = await this.#db.batch([insert, auditStatement(this.#db, entry), removal]);
    return inserted!.meta.changes === 1;
  }

  /** The app's hubs have heard of it. */
  async markSettled({ app, kind, subject, at }: Revocation): Promise<void> {
    await this.#db
      .prepare(
        `UPDATE access_changes SET settled = 1
         WHERE settled = 0 AND app = ?1 AND kind = ?2 AND subject = ?3 AND at <= ?4`,
      )
      .bind(app, kind, subject, at)
      .run();
  }

  /** Revocations older than `before` that some hub may not have heard of. */
  async unsettled(before: number, limit: number): Promise<Revocation[]> {
    const { results } = await this.#db
      .prepare(`SELECT * FROM access_changes WHERE settled = 0 AND at < ?1 ORDER BY version LIMIT ?2`)
      .bind(before, limit)
      .all<Row>();
    return results.map(changeOf) as Revocation[];
  }

  /** Drops what can refuse nobody any more, a bounded number a call. Answers how many went. */
  async purge(now: number): Promise<number> {
    const { meta } = await this.#db
      .prepare(
        `DELETE FROM access_changes WHERE version IN (
           SELECT version FROM access_changes WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)`,
      )
      .bind(now, PURGED_ROWS_MAX)
      .run();
    return meta.changes;
  }
}

const changeOf = ({ version, app, kind, subject, at, expires_at: expiresAt }: Row): NumberedChange => ({
  version,
  app,
  kind,
  subject,
  at,
  expiresAt,
});
