/** Events that wait for their time: a row each, until they are appended or cancelled. None of them has an offset. */
import type { EventDraft } from "../../core/event.ts";
import type { ScheduledAsk, ScheduledPlace } from "../rpc/scheduled.ts";

export interface ScheduledRow extends ScheduledPlace {
  readonly id: string;
  /** What a repeat under the same id must agree with; empty for an id that the hub has minted. */
  readonly fingerprint: string;
  readonly draft: EventDraft;
}

interface NewRow extends Omit<ScheduledRow, "seq"> {
  /** `principalKey` of who published it: whoever has scheduled an event may cancel it. */
  readonly producer: string;
}

type Row = { seq: number; due: number; id: string; fingerprint: string; draft: string };

const COLUMNS = `seq, due, id, fingerprint, draft`;

export class ScheduledStore {
  readonly #sql: SqlStorage;
  /** As far as they are known since this wake, or since `reread`: who asks at every append reads no row. */
  #count: number | null = null;
  #nextDueAt: number | null | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get count(): number {
    this.#count ??= this.#sql.exec<{ count: number }>(`SELECT count(*) AS count FROM scheduled`).one().count;
    return this.#count;
  }

  /** When the first of them is due, milliseconds; null when none waits. */
  get nextDueAt(): number | null {
    if (this.#nextDueAt === undefined)
      this.#nextDueAt = this.#sql.exec<{ due: number | null }>(`SELECT min(due) AS due FROM scheduled`).one().due;
    return this.#nextDueAt;
  }

  /** A transaction was rolled back: what is believed of the rows may be wrong. */
  reread(): void {
    this.#count = null;
    this.#nextDueAt = undefined;
  }

  insert({ deliverAt, id, fingerprint, producer, draft }: NewRow): void {
    const { count, nextDueAt } = this;
    this.#sql.exec(
      `INSERT INTO scheduled (due, id, source, fingerprint, producer, draft) VALUES (?, ?, ?, ?, ?, ?)`,
      deliverAt,
      id,
      draft.source,
      fingerprint,
      producer,
      JSON.stringify(draft),
    );
    this.#count = count + 1;
    this.#nextDueAt = Math.min(nextDueAt ?? Infinity, deliverAt);
  }

  find(source: string, id: string): ScheduledRow | null {
    if (this.nextDueAt === null) return null;
    return (
      this.#rows(`SELECT ${COLUMNS} FROM scheduled WHERE id = ?1 AND source = ?2`, id, source).next().value ?? null
    );
  }

  /** Those that are due, in the order of their times; one at least, and no more payload than a turn should append. */
  due(now: number, countMax: number, charsMax: number): ScheduledRow[] {
    const sql = `SELECT ${COLUMNS} FROM scheduled WHERE due <= ?1 ORDER BY due, seq LIMIT ?2`;
    return takeWithin(this.#rows(sql, now, countMax), charsMax);
  }

  /** Behind `after`, in the order of their times. */
  list({ after, limit, charsMax, id, producer }: ScheduledAsk): ScheduledRow[] {
    const sql = `SELECT ${COLUMNS} FROM scheduled WHERE (due, seq) > (?1, ?2) AND id = coalesce(?3, id)
      AND producer = coalesce(?4, producer) ORDER BY due, seq LIMIT ?5`;
    return takeWithin(this.#rows(sql, after.deliverAt, after.seq, id, producer, limit), charsMax);
  }

  remove(seq: number): void {
    this.#sql.exec(`DELETE FROM scheduled WHERE seq = ?1`, seq);
    this.reread();
  }

  /** Answers how many there were. */
  removeOf(id: string, producer: string | null): number {
    const sql = `DELETE FROM scheduled WHERE id = ?1 AND producer = coalesce(?2, producer) RETURNING seq`;
    const removed = this.#sql.exec(sql, id, producer).toArray().length;
    this.reread();
    return removed;
  }

  clear(): void {
    this.#sql.exec(`DELETE FROM scheduled`);
    this.reread();
  }

  *#rows(sql: string, ...values: readonly (string | number | null)[]): Generator<ScheduledRow, null> {
    for (const { due, draft, ...row } of this.#sql.exec<Row>(sql, ...values)) {
      yield { ...row, deliverAt: due, draft: JSON.parse(draft) as EventDraft };
    }
    return null;
  }
}

function takeWithin(rows: Iterable<ScheduledRow>, charsMax: number): ScheduledRow[] {
  const taken: ScheduledRow[] = [];
  let chars = 0;
  for (const row of rows) {
    chars += row.draft.data.length + row.draft.attributes.length;
    if (taken.length > 0 && chars > charsMax) break;
    taken.push(row);
  }
  return taken;
}
