/** API keys with the apps that they belong to. A key's text is nowhere here, only the hash of its secret. */
import type { Quotas } from "../core/quotas.ts";
import { parseScope, type Scope } from "../core/scope.ts";
import { appRecordOf, type AppRecord } from "./apps-store.ts";

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
  createdAt: row.created_at,
  expiresAt: row.expires_at,
  lastUsedAt: row.last_used_at,
});
