/** Deliveries that died, each with its own copy of the event and the story of its attempts. */
import type { AttemptRecord } from "../../core/delivery-decision.ts";
import type { DeliveryPlace } from "../../core/ledger-ids.ts";

export interface DeadLetterRow extends DeliveryPlace {
  /** Grows with the time of death; lists go by it. */
  readonly seq: number;
  readonly reason: string;
  readonly diedAt: number;
  readonly line: string;
  readonly attempts: readonly AttemptRecord[];
}

/** Names a dead letter without its payload. */
export interface DeadPlace extends DeliveryPlace {
  readonly seq: number;
}

type Row = {
  seq: number;
  source: number;
  offset: number;
  reason: string;
  died_at: number;
  line: string;
  attempts: string;
};

type PlaceRow = { seq: number; source: number; offset: number };

export class DeadLetterStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Numbered by time of death, not by what is left: a number that was listed does not come again. */
  insert(letter: Omit<DeadLetterRow, "seq">): void {
    this.#sql.exec(
      `INSERT INTO dead_letters (seq, source, offset, reason, died_at, line, attempts)
       VALUES (max(?4, (SELECT coalesce(max(seq), 0) + 1 FROM dead_letters)), ?1, ?2, ?3, ?4, ?5, ?6)`,
      letter.source,
      letter.offset,
      letter.reason,
      letter.diedAt,
      letter.line,
      JSON.stringify(letter.attempts),
    );
  }

  /** A page ends after `charsMax` of payload, but holds at least one. `reason` null: any. */
  list(after: number, limit: number, charsMax: number, reason: string | null): DeadLetterRow[] {
    const letters: DeadLetterRow[] = [];
    let chars = 0;
    const rows = this.#sql.exec<Row>(
      `SELECT * FROM dead_letters WHERE seq > ?1 AND reason = coalesce(?3, reason) ORDER BY seq LIMIT ?2`,
      after,
      limit,
      reason,
    );
    for (const row of rows) {
      chars += row.line.length;
      if (letters.length > 0 && chars > charsMax) break;
      const { seq, source, offset, reason, died_at: diedAt, line, attempts } = row;
      letters.push({ seq, source, offset, reason, diedAt, line, attempts: JSON.parse(attempts) as AttemptRecord[] });
    }
    return letters;
  }

  find({ source, offset }: DeliveryPlace): DeadPlace | null {
    const sql = `SELECT seq, source, offset FROM dead_letters WHERE source = ?1 AND offset = ?2`;
    return this.#sql.exec<PlaceRow>(sql, source, offset).toArray()[0] ?? null;
  }

  places(after: number, until: number, limit: number): DeadPlace[] {
    const sql = `SELECT seq, source, offset FROM dead_letters WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3`;
    return this.#sql.exec<PlaceRow>(sql, after, until, limit).toArray();
  }

  /** `reason` null: of any. */
  lastSeq(reason: string | null = null): number {
    const sql = `SELECT coalesce(max(seq), 0) AS seq FROM dead_letters WHERE reason = coalesce(?1, reason)`;
    return this.#sql.exec<{ seq: number }>(sql, reason).one().seq;
  }

  count(): number {
    return this.#sql.exec<{ count: number }>(`SELECT count(*) AS count FROM dead_letters`).one().count;
  }

  /** Owed again, from the first attempt, with its own copy; the payload does not pass through the heap. */
  moveToRetries(seq: number, now: number): void {
    this.#sql.exec(
      `INSERT INTO retries
         (source, offset, attempts_made, next_at, dispatch, redrive, alone, owed_since, line, attempts)
       SELECT source, offset, 0, ?2, NULL, 1, 0, ?2, line, attempts FROM dead_letters WHERE seq = ?1`,
      seq,
      now,
    );
    this.remove(seq);
  }

  remove(seq: number): void {
    this.#sql.exec(`DELETE FROM dead_letters WHERE seq = ?1`, seq);
  }
}
