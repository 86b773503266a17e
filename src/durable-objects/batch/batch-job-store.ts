/** The jobs of one batch, a row each. */
import type { BatchJob, BatchJobState, NewBatchJob } from "../../core/job-batch.ts";

/** What publishing a job needs. */
export interface OpenJob {
  readonly index: number;
  readonly run: number;
  readonly draft: string;
}

type Row = { job: number; type: string; state: string; run: number; reason: string | null; isBatch: number };

const COLUMNS = `job, type, state, run, reason, substr(draft, 1, 9) = '{"batch":' AS isBatch`;

export class BatchJobStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  insert(first: number, jobs: readonly NewBatchJob[]): void {
    const sql = `INSERT INTO jobs (job, type, draft, state, run) VALUES (?1, ?2, ?3, 'open', 1)`;
    for (const [at, { type, draft }] of jobs.entries()) this.#sql.exec(sql, first + at, type, draft);
  }

  get(index: number): BatchJob | null {
    return this.#all(`SELECT ${COLUMNS} FROM jobs WHERE job = ?1`, index)[0] ?? null;
  }

  /** By index, after `after`; `state` null: all. */
  list(state: BatchJobState | null, after: number, limit: number): BatchJob[] {
    const sql = `SELECT ${COLUMNS} FROM jobs WHERE job > ?1 AND state = coalesce(?2, state) ORDER BY job LIMIT ?3`;
    return this.#all(sql, after, state, limit);
  }

  /** Open ones in (after, until]: at most `limit`, and `charsMax` characters of drafts, but one at least. */
  open(after: number, until: number, limit: number, charsMax: number): OpenJob[] {
    const sql = `SELECT job AS "index", run, draft FROM jobs WHERE state = 'open' AND job > ?1 AND job <= ?2
      ORDER BY job LIMIT ?3`;
    const found: OpenJob[] = [];
    let chars = 0;
    for (const row of this.#sql.exec<{ index: number; run: number; draft: string }>(sql, after, until, limit)) {
      chars += row.draft.length;
      if (found.length > 0 && chars > charsMax) break;
      found.push(row);
    }
    return found;
  }

  end(index: number, state: BatchJobState, reason: string | null): void {
    this.#sql.exec(`UPDATE jobs SET state = ?2, reason = ?3 WHERE job = ?1`, index, state, reason);
  }

  /** All that are open, but those of the given indexes. Answers how many. */
  cancelOpen(held: ReadonlySet<number>): number {
    const open = this.#sql.exec<{ job: number }>(`SELECT job FROM jobs WHERE state = 'open'`).toArray();
    const dropped = open.filter(({ job }) => !held.has(job));
    for (const { job } of dropped) this.end(job, "cancelled", null);
    return dropped.length;
  }

  reopenFailed(): void {
    this.#sql.exec(`UPDATE jobs SET state = 'open', run = run + 1, reason = NULL WHERE state = 'failed'`);
  }

  #all(sql: string, ...values: readonly (number | string | null)[]): BatchJob[] {
    return this.#sql
      .exec<Row>(sql, ...values)
      .toArray()
      .map(({ job, state, isBatch, ...row }) => ({
        index: job,
        state: state as BatchJobState,
        ...row,
        isBatch: isBatch === 1,
      }));
  }
}
