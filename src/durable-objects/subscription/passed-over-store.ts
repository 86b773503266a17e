/** Offsets that the subscription passed over or gave up, as ranges that neither touch nor overlap. */
import type { OffsetRange } from "../../core/offset-ranges.ts";
import type { SourceName } from "./source-store.ts";

const LIFE = `topic = ?1 AND partition = ?2 AND epoch = ?3`;

export class PassedOverStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  add(life: SourceName, { first, last }: OffsetRange): void {
    if (last < first) return;
    const near = this.#touching(life, { first: first - 1, last: last + 1 });
    for (const range of near) this.#remove(life, range);
    const begin = Math.min(first, ...near.map((range) => range.first));
    this.#insert(life, { first: begin, last: Math.max(last, ...near.map((range) => range.last)) });
  }

  /** They are owed now, or will be. */
  take(life: SourceName, taken: OffsetRange): void {
    for (const range of this.#touching(life, taken)) {
      this.#remove(life, range);
      this.#insert(life, { first: range.first, last: taken.first - 1 });
      this.#insert(life, { first: taken.last + 1, last: range.last });
    }
  }

  /** The life has ended: none of it can come again. */
  forget({ topic, partition, epoch }: SourceName): void {
    this.#sql.exec(`DELETE FROM passed_over WHERE ${LIFE}`, topic, partition, epoch);
  }

  /** What of `within` was passed over, in order; at most `limit` ranges, -1: all. */
  list(life: SourceName, { first, last }: OffsetRange, limit = -1): OffsetRange[] {
    return this.#touching(life, { first, last }, limit).map((range) => ({
      first: Math.max(first, range.first),
      last: Math.min(last, range.last),
    }));
  }

  /** How many offsets. */
  count(life: SourceName, within: OffsetRange): number {
    return this.list(life, within).reduce((sum, { first, last }) => sum + last - first + 1, 0);
  }

  countRanges(): number {
    return this.#sql.exec<{ count: number }>(`SELECT count(*) AS count FROM passed_over`).one().count;
  }

  /** Drops the first range of that life; answers its end. */
  removeFirst(life: SourceName): number {
    const [first] = this.list(life, { first: 1, last: Number.MAX_SAFE_INTEGER }, 1);
    if (first === undefined) return 0;
    this.#remove(life, first);
    return first.last;
  }

  /** The rows that hold an offset of the range. The first of them begins at it, or is the last that begins before. */
  #touching({ topic, partition, epoch }: SourceName, { first, last }: OffsetRange, limit = -1): OffsetRange[] {
    return this.#sql
      .exec<{ first: number; last: number }>(
        `SELECT first, last FROM passed_over WHERE ${LIFE} AND last >= ?4 AND first <= ?5 AND first >=
           (SELECT coalesce(max(first), ?4) FROM passed_over WHERE ${LIFE} AND first <= ?4) ORDER BY first LIMIT ?6`,
        topic,
        partition,
        epoch,
        first,
        last,
        limit,
      )
      .toArray();
  }

  #insert({ topic, partition, epoch }: SourceName, { first, last }: OffsetRange): void {
    if (last < first) return;
    const sql = `INSERT INTO passed_over (topic, partition, epoch, first, last) VALUES (?1, ?2, ?3, ?4, ?5)`;
    this.#sql.exec(sql, topic, partition, epoch, first, last);
  }

  #remove({ topic, partition, epoch }: SourceName, { first }: OffsetRange): void {
    this.#sql.exec(`DELETE FROM passed_over WHERE ${LIFE} AND first = ?4`, topic, partition, epoch, first);
  }
}
