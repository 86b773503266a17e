/** What isolates must hear of at once, in the order of happening: revocations, and keys and apps that changed. */
import type { Revocation } from "../core/revocation.ts";

/** `changed_key` and `changed_app` refuse nobody: they make caches forget. */
export interface AccessChange extends Omit<Revocation, "kind"> {
  readonly kind: Revocation["kind"] | "changed_key" | "changed_app";
}

export interface NumberedChange extends AccessChange {
  /** Grows with each change of any app. */
  readonly version: number;
}

interface Row {
  version: number;
  app: string;
  kind: AccessChange["kind"];
  subject: string;
  at: number;
  expires_at: number;
}

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
    return results.map(({ expires_at: expiresAt, ...change }) => ({ ...change, expiresAt }));
  }
}
