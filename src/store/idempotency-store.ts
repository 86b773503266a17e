/**
 * Idempotency keys of requests. A row says what a request was and who works on it; never that an event exists.
 */
import { LIMITS } from "../core/limits.ts";

export interface IdempotencyRecord {
  readonly fingerprint: string;
  readonly state: "claimed" | "done";
  readonly token: string;
  readonly leaseUntil: number;
  /** Of a finished request; null where the answer held a secret, or is rebuilt from a log. */
  readonly status: number | null;
  readonly response: string | null;
}

interface Row {
  fingerprint: string;
  state: "claimed" | "done";
  token: string;
  lease_until: number;
  status: number | null;
  response: string | null;
}

const PURGE_ROWS = 5_000;

export class IdempotencyStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /**
   * One round trip: claims the key when it is new, expired, or its claim's lease has lapsed with the same body; and
   * answers the row as it stands then. The caller owns the claim when the token is its own.
   */
  claim(scope: string, key: string, fingerprint: string, token: string, now: number): Promise<IdempotencyRecord> {
    return this.#take("claimed", scope, key, fingerprint, token, now);
  }

  /**
   * The same for a request whose answer stands elsewhere: the row only says with which body the key came first, and
   * nothing completes it. It is never taken over.
   */
  guard(scope: string, key: string, fingerprint: string, token: string, now: number): Promise<IdempotencyRecord> {
    return this.#take("done", scope, key, fingerprint, token, now);
  }

  async #take(
    state: IdempotencyRecord["state"],
    scope: string,
    key: string,
    fingerprint: string,
    token: string,
    now: number,
  ): Promise<IdempotencyRecord> {
    const keepUntil = now + LIMITS.IDEMPOTENCY_KEEP_MS;
    const [, read] = await this.#db.batch<Row>([
      this.#db
        .prepare(
          `INSERT INTO idempotency_keys
           (scope, key, fingerprint, state, token, lease_until, status, response, expires_at)
         VALUES (?1, ?2, ?3, ?8, ?4, ?6, NULL, NULL, ?7)
         ON CONFLICT (scope, key) DO UPDATE SET fingerprint = excluded.fingerprint, state = excluded.state,
           token = excluded.token,
           lease_until = excluded.lease_until, status = NULL, response = NULL, expires_at = excluded.expires_at
         WHERE idempotency_keys.expires_at <= ?5 OR (idempotency_keys.state = 'claimed'
           AND idempotency_keys.lease_until <= ?5 AND idempotency_keys.fingerprint = excluded.fingerprint)`,
        )
        .bind(scope, key, fingerprint, token, now, now + LIMITS.IDEMPOTENCY_LEASE_MS, keepUntil, state),
      this.#db.prepare(`SELECT * FROM idempotency_keys WHERE scope = ?1 AND key = ?2`).bind(scope, key),
    ]);
    const row = read!.results[0]!;
    return {
      fingerprint: row.fingerprint,
      state: row.state,
      token: row.token,
      leaseUntil: row.lease_until,
      status: row.status,
      response: row.response,
    };
  }

  /** Keeps the first answer. Does nothing when the claim was taken over in the meantime. */
  async complete(scope: string, key: string, token: string, status: number, response: string | null): Promise<void> {
    await this.#db
      .prepare(
        `UPDATE idempotency_keys SET state = 'done', status = ?4, response = ?5
       WHERE scope = ?1 AND key = ?2 AND token = ?3 AND state = 'claimed'`,
      )
      .bind(scope, key, token, status, response)
      .run();
  }

  /** Forgets what this request took, because it was refused or failed: its answer is not to be repeated. */
  async release(scope: string, key: string, token: string): Promise<void> {
    await this.#db
      .prepare(`DELETE FROM idempotency_keys WHERE scope = ?1 AND key = ?2 AND token = ?3`)
      .bind(scope, key, token)
      .run();
  }

  /** Drops expired rows, a bounded number a call. Answers how many went. */
  async purge(now: number): Promise<number> {
    const { meta } = await this.#db
      .prepare(
        `DELETE FROM idempotency_keys WHERE (scope, key) IN (
         SELECT scope, key FROM idempotency_keys WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)`,
      )
      .bind(now, PURGE_ROWS)
      .run();
    return meta.changes;
  }
}
