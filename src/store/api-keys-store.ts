/** API keys with the apps that they belong to. A key's text is nowhere here, only the hash of its secret. */
import type { AuditEntry } from "../core/audit.ts";
import type { Quotas } from "../core/quotas.ts";
import type { Revocation } from "../core/revocation.ts";
import { formatScope, parseScope, type Scope } from "../core/scope.ts";
import { cacheChange, changeStatement } from "./access-changes-store.ts";
import { appRecordOf, type AppRecord } from "./apps-store.ts";
import { auditStatement } from "./audit-store.ts";

export interface KeyRecord {
  /** Public. */
  readonly id: string;
  readonly app: AppRecord;
  readonly name: string;
  /** SHA-256 of the secret, base64url. */
  readonly secretHash: string;
  /** Of the secret before the last rotation, good until then; null: never rotated. */
  readonly previousHash: string | null;
  readonly previousUntil: number | null;
  readonly scopes: readonly Scope[];
  readonly quotas: Quotas;
  readonly tokenAlgorithm: TokenAlgorithm;
  /** With HS256 the sealed secret (src/sealing.ts), with EdDSA the owner's public JWK as JSON. */
  readonly tokenKey: string;
  /** Sealed: with it Pusher's libraries sign; null: the key is not for them. */
  readonly pusherSecret: string | null;
  /** The one before the last rotation, good as long as the key's own. */
  readonly previousPusherSecret: string | null;
  /** Milliseconds, all of them. */
  readonly createdAt: number;
  /** Null: never. */
  readonly expiresAt: number | null;
  /** Null: not yet. */
  readonly lastUsedAt: number | null;
}

export type TokenAlgorithm = "HS256" | "EdDSA";

interface Row {
  id: string;
  app: string;
  name: string;
  secret_hash: string;
  previous_hash: string | null;
  previous_until: number | null;
  scopes: string;
  quotas: string;
  token_algorithm: TokenAlgorithm;
  token_key: string;
  pusher_secret: string | null;
  previous_pusher_secret: string | null;
  created_at: number;
  expires_at: number | null;
  last_used_at: number | null;
  app_name: string;
  app_origins: string | null;
  app_quotas: string;
  app_created_at: number;
}

const SELECT = `SELECT k.*, a.name AS app_name, a.origins AS app_origins, a.quotas AS app_quotas,
  a.created_at AS app_created_at FROM api_keys k JOIN apps a ON a.id = k.app AND a.deleted_at IS NULL`;

export class ApiKeysStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** A key of any app, or null: what authentication asks. */
  async find(id: string): Promise<KeyRecord | null> {
    const row = await this.#db.prepare(`${SELECT} WHERE k.id = ?1`).bind(id).first<Row>();
    return row === null ? null : recordOf(row);
  }

  /** The app's keys by id, after `after`. */
  async list(app: string, after: string, limit: number): Promise<KeyRecord[]> {
    const { results } = await this.#db
      .prepare(`${SELECT} WHERE k.app = ?1 AND k.id > ?2 ORDER BY k.id LIMIT ?3`)
      .bind(app, after, limit)
      .all<Row>();
    return results.map(recordOf);
  }

  /** Adds the key unless its app has `keysMax` already, or is there no longer: then false. */
  async insert(key: KeyRecord, keysMax: number, entry: AuditEntry): Promise<boolean> {
    const insert = this.#db
      .prepare(
        `INSERT INTO api_keys (id, app, name, secret_hash, scopes, quotas, token_algorithm, token_key, created_at,
           expires_at, pusher_secret)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?12
         WHERE (SELECT count(*) FROM api_keys WHERE app = ?2) < ?11
           AND EXISTS (SELECT 1 FROM apps WHERE id = ?2 AND deleted_at IS NULL)`,
      )
      .bind(
        key.id,
        key.app.id,
        key.name,
        key.secretHash,
        JSON.stringify(key.scopes.map(formatScope)),
        JSON.stringify(key.quotas),
        key.tokenAlgorithm,
        key.tokenKey,
        key.createdAt,
        key.expiresAt,
        keysMax,
        key.pusherSecret,
      );
    const [inserted] = await this.#db.batch([insert, auditStatement(this.#db, entry)]);
    return inserted!.meta.changes === 1;
  }

  /**
   * Gives the key that was read another secret, and writes down which ones end thereby; false when it was rotated or
   * revoked in between.
   */
  async rotate(key: KeyRecord, rotated: KeyRecord, ended: readonly Revocation[], entry: AuditEntry): Promise<boolean> {
    const update = this.#db
      .prepare(
        `UPDATE api_keys SET secret_hash = ?3, previous_hash = ?2, previous_until = ?4, pusher_secret = ?5,
           previous_pusher_secret = ?6
         WHERE id = ?1 AND secret_hash = ?2`,
      )
      .bind(
        key.id,
        key.secretHash,
        rotated.secretHash,
        rotated.previousUntil,
        rotated.pusherSecret,
        rotated.previousPusherSecret,
      );
    const changes = [cacheChange(key.app.id, "changed_key", key.id, entry.at), ...ended];
    const [updated] = await this.#db.batch([
      update,
      auditStatement(this.#db, entry),
      ...changes.map((change) => changeStatement(this.#db, change)),
    ]);
    return updated!.meta.changes === 1;
  }

  /** Drops the key for good; false when it was gone already. */
  async revoke(revocation: Revocation, entry: AuditEntry): Promise<boolean> {
    const remove = this.#db
      .prepare(`DELETE FROM api_keys WHERE id = ?1 AND app = ?2`)
      .bind(revocation.subject, revocation.app);
    const [removed] = await this.#db.batch([
      remove,
      auditStatement(this.#db, entry),
      changeStatement(this.#db, revocation),
    ]);
    return removed!.meta.changes === 1;
  }

  /** Of two isolates the later one counts. */
  async noteUse(id: string, now: number): Promise<void> {
    await this.#db
      .prepare(`UPDATE api_keys SET last_used_at = max(coalesce(last_used_at, 0), ?2) WHERE id = ?1`)
      .bind(id, now)
      .run();
  }
}

const recordOf = (row: Row): KeyRecord => ({
  id: row.id,
  app: appRecordOf({
    id: row.app,
    name: row.app_name,
    origins: row.app_origins,
    quotas: row.app_quotas,
    created_at: row.app_created_at,
  }),
  name: row.name,
  secretHash: row.secret_hash,
  previousHash: row.previous_hash,
  previousUntil: row.previous_until,
  scopes: (JSON.parse(row.scopes) as string[]).flatMap((text) => parseScope(text) ?? []),
  quotas: JSON.parse(row.quotas) as Quotas,
  tokenAlgorithm: row.token_algorithm,
  tokenKey: row.token_key,
  pusherSecret: row.pusher_secret,
  previousPusherSecret: row.previous_pusher_secret,
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});
