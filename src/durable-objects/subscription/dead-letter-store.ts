/** Deliveries that died, each with its own copy of the event and the story of its attempts. */
import { deadLetterFingerprint } from "../../core/dead-letter-fingerprint.ts";
import type { AttemptRecord } from "../../core/delivery-decision.ts";
import type { DeliveryPlace } from "../../core/ledger-ids.ts";
import { LIMITS } from "../../core/limits.ts";

export interface DeadLetterRow extends DeliveryPlace {
  /** Grows with the time of death; lists go by it. */
  readonly seq: number;
  readonly reason: string;
  readonly fingerprint: string;
  readonly diedAt: number;
  /** How often it was redriven before this death. */
  readonly redrives: number;
  readonly line: string;
  /** Those of its earlier lives as well. */
  readonly attempts: readonly AttemptRecord[];
}

/** Without a fingerprint it gets that of its last attempt. */
export type NewDeadLetter = Omit<DeadLetterRow, "seq" | "fingerprint" | "redrives"> &
  Partial<Pick<DeadLetterRow, "fingerprint" | "redrives">>;

/** Names a dead letter without its payload. */
export interface DeadPlace extends DeliveryPlace {
  readonly seq: number;
}

/** Those numbered in (after, until]. */
export interface DeadRange {
  readonly after: number;
  readonly until: number;
}

/** Which dead letters are looked for; null: any. */
export interface DeadLetterMarks {
  readonly reason: string | null;
  readonly fingerprint: string | null;
  /** `event` is the parsed line. */
  readonly matches: ((event: unknown) => boolean) | null;
}

export interface DeadLettersFound {
  readonly letters: readonly DeadLetterRow[];
  /** Everything numbered up to here was looked at. */
  readonly through: number;
  readonly isLast: boolean;
}

export interface DeadLetterGroupRow {
  readonly fingerprint: string;
  readonly count: number;
  readonly firstDiedAt: number;
  /** The one that died last. */
  readonly sample: DeadLetterRow;
}

type Row = {
  seq: number;
  source: number;
  offset: number;
  reason: string;
  fingerprint: string;
  died_at: number;
  redrives: number;
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
  insert(letter: NewDeadLetter): void {
    this.#sql.exec(
      `INSERT INTO dead_letters (seq, source, offset, reason, died_at, line, attempts, fingerprint, redrives)
       VALUES (max(?4, (SELECT coalesce(max(seq), 0) + 1 FROM dead_letters)), ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)`,
      letter.source,
      letter.offset,
      letter.reason,
      letter.diedAt,
      letter.line,
      JSON.stringify(letter.attempts),
      letter.fingerprint ?? deadLetterFingerprint(letter.reason, letter.attempts.at(-1)),
      letter.redrives ?? 0,
    );
  }

  /** A page ends after `limit` letters found, or a page's bytes or events looked at; it looks at one at least. */
  read(
    { after, until }: DeadRange,
    limit: number,
    { reason, fingerprint, matches }: DeadLetterMarks,
  ): DeadLettersFound {
    const letters: DeadLetterRow[] = [];
    const rows = this.#sql.exec<Row>(
      `SELECT * FROM dead_letters WHERE seq > ?1 AND seq <= ?2 AND reason = coalesce(?3, reason)
         AND fingerprint = coalesce(?4, fingerprint) ORDER BY seq`,
      after,
      until,
      reason,
      fingerprint,
    );
    let [chars, examined, through] = [0, 0, after];
    for (const row of rows) {
      chars += row.line.length;
      const isFull = letters.length >= limit || examined >= LIMITS.PAGE_EXAMINED_MAX;
      if (isFull || (examined > 0 && chars > LIMITS.PAGE_BYTES_MAX)) return { letters, through, isLast: false };
      examined += 1;
      through = row.seq;
      if (matches === null || (row.line !== "" && matches(JSON.parse(row.line)))) letters.push(letterOf(row));
    }
    return { letters, through: until, isLast: true };
  }

  /** By fingerprint, after `after`; null: from the first. */
  groups(after: string | null, limit: number): DeadLetterGroupRow[] {
    return this.#sql
      .exec<{ fingerprint: string; count: number; firstSeq: number; lastSeq: number }>(
        `SELECT fingerprint, count(*) AS count, min(seq) AS firstSeq, max(seq) AS lastSeq FROM dead_letters
         WHERE ?1 IS NULL OR fingerprint > ?1 GROUP BY fingerprint ORDER BY fingerprint LIMIT ?2`,
        after,
        limit,
      )
      .toArray()
      .map(({ fingerprint, count, firstSeq, lastSeq }) => {
        const firstDiedAt = this.#get(firstSeq).diedAt;
        return { fingerprint, count, firstDiedAt, sample: this.#get(lastSeq) };
      });
  }

  find({ source, offset }: DeliveryPlace): DeadPlace | null {
    const sql = `SELECT seq, source, offset FROM dead_letters WHERE source = ?1 AND offset = ?2`;
    return this.#sql.exec<PlaceRow>(sql, source, offset).toArray()[0] ?? null;
  }

  /** Why and when it died, milliseconds; null: it is not dead. */
  death({ source, offset }: DeliveryPlace): Pick<DeadLetterRow, "reason" | "diedAt"> | null {
    const sql = `SELECT reason, died_at AS diedAt FROM dead_letters WHERE source = ?1 AND offset = ?2`;
    return this.#sql.exec<{ reason: string; diedAt: number }>(sql, source, offset).toArray()[0] ?? null;
  }

  places({ after, until }: DeadRange, limit: number): DeadPlace[] {
    const sql = `SELECT seq, source, offset FROM dead_letters WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT ?3`;
    return this.#sql.exec<PlaceRow>(sql, after, until, limit).toArray();
  }

  placesAlike(fingerprint: string, { after, until }: DeadRange, limit: number): DeadPlace[] {
    const sql = `SELECT seq, source, offset FROM dead_letters WHERE fingerprint = ?1 AND seq > ?2 AND seq <= ?3
      ORDER BY seq LIMIT ?4`;
    return this.#sql.exec<PlaceRow>(sql, fingerprint, after, until, limit).toArray();
  }

  lastSeq(): number {
    return this.#sql.exec<{ seq: number }>(`SELECT coalesce(max(seq), 0) AS seq FROM dead_letters`).one().seq;
  }

  count(): number {
    return this.#sql.exec<{ count: number }>(`SELECT count(*) AS count FROM dead_letters`).one().count;
  }

  countAlike(fingerprint: string): number {
    const sql = `SELECT count(*) AS count FROM dead_letters WHERE fingerprint = ?1`;
    return this.#sql.exec<{ count: number }>(sql, fingerprint).one().count;
  }

  /** Owed again, from the first attempt, with its copy and its story; the payload does not pass through the heap. */
  moveToRetries(seq: number, now: number): void {
    this.#sql.exec(
      `INSERT INTO retries
         (source, offset, attempts_made, next_at, dispatch, redrive, redrives, alone, owed_since, line, attempts)
       SELECT source, offset, 0, ?2, NULL, 1, redrives + 1, 0, ?2, line, attempts FROM dead_letters WHERE seq = ?1`,
      seq,
      now,
    );
    this.remove(seq);
  }

  remove(seq: number): void {
    this.#sql.exec(`DELETE FROM dead_letters WHERE seq = ?1`, seq);
  }

  #get(seq: number): DeadLetterRow {
    return letterOf(this.#sql.exec<Row>(`SELECT * FROM dead_letters WHERE seq = ?1`, seq).one());
  }
}

function letterOf(row: Row): DeadLetterRow {
  const { seq, source, offset, reason, fingerprint, died_at: diedAt, redrives, line, attempts } = row;
  const story = JSON.parse(attempts) as AttemptRecord[];
  return { seq, source, offset, reason, fingerprint, diedAt, redrives, line, attempts: story };
}
