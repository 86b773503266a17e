/** Revocations that this hub was told of, kept until nothing is left that they could refuse. */
import {
  holdsSecret,
  isRevokedBy,
  secretSubject,
  type Revocation,
  type RevocationKind,
} from "../../core/revocation.ts";
import { userOf, type Principal } from "../../core/principal.ts";

interface Row {
  readonly kind: RevocationKind;
  readonly subject: string;
  readonly at: number;
  readonly expires_at: number;
}

export class RevocationStore {
  readonly #sql: SqlStorage;

  #arePastKnown: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#arePastKnown = sql.exec(`SELECT 1 FROM past_revocations_known`).toArray().length > 0;
  }

  /** Also those of before this hub was one that revocations are told to. */
  get arePastKnown(): boolean {
    return this.#arePastKnown;
  }

  markPastKnown(): void {
    this.#sql.exec(`INSERT OR IGNORE INTO past_revocations_known (known) VALUES (1)`);
    this.#arePastKnown = true;
  }

  /** Told twice, the later moment counts; of a secret the earlier one: another rotation cuts its overlap short. */
  put({ kind, subject, at, expiresAt }: Revocation): void {
    this.#sql.exec(
      `INSERT INTO revocations (kind, subject, at, expires_at) VALUES (?1, ?2, ?3, ?4)
       ON CONFLICT (kind, subject) DO UPDATE SET
         at = iif(kind = 'secret', min(at, excluded.at), max(at, excluded.at)),
         expires_at = max(expires_at, excluded.expires_at)`,
      kind,
      subject,
      at,
      expiresAt,
    );
  }

  /** Those that cover this principal of the hub's own app, in force or not yet. */
  covering(principal: Principal): Revocation[] {
    return subjectsOf(principal).flatMap(([kind, subject]) => {
      const [row] = this.#sql
        .exec<Row & Record<string, SqlStorageValue>>(
          `SELECT * FROM revocations WHERE kind = ?1 AND subject = ?2`,
          kind,
          subject,
        )
        .toArray();
      if (row === undefined) return [];
      const revocation = { app: principal.app, kind, subject, at: row.at, expiresAt: row.expires_at };
      return isRevokedBy(principal, revocation) ? [revocation] : [];
    });
  }

  purge(now: number): void {
    this.#sql.exec(`DELETE FROM revocations WHERE expires_at <= ?1`, now);
  }
}

/** Where a revocation of this principal would stand. */
function subjectsOf(principal: Principal): readonly (readonly [RevocationKind, string])[] {
  const subjects: [RevocationKind, string][] = [["app", principal.app]];
  if (principal.kind !== "root") subjects.push(["key", principal.key]);
  if (holdsSecret(principal)) subjects.push(["secret", secretSubject(principal)]);
  if (principal.kind === "token") subjects.push(["token", principal.token]);
  const user = userOf(principal);
  if (user !== null) subjects.push(["user", user.id]);
  return subjects;
}
