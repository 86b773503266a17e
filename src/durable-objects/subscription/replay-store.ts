/**
 * Sources that look at a range of a log once more. Each is a row of `sources` like those that follow a log, so that its
 * deliveries have ids of their own and are dispatched, retried and counted like any others.
 */
import type { LifeRange } from "../../core/replay.ts";
import type { Source, SourceName } from "./source-store.ts";

export interface ReplaySource {
  readonly id: number;
  readonly job: number;
  readonly state: Source["state"];
  readonly examined: number;
  /** The last offset of its range. */
  readonly until: number;
}

/** Over all sources of a job: events looked at, and those of them that became deliveries. */
export interface ReplayTally {
  readonly done: number;
  readonly replayed: number;
}

type Row = { id: number; job: number; state: Source["state"]; examined: number; until: number };

/** Each look at one asks several tables. */
const FOLDED_AT_ONCE = 500;

const COLUMNS = `id, replay AS job, state, examined, until`;

export class ReplayStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** May look at nothing before it is granted. */
  begin({ topic, partition, epoch, after, through }: LifeRange, job: number): void {
    this.#sql.exec(
      `INSERT INTO sources (topic, partition, epoch, replay, examined, behind, state, began, until, granted)
       VALUES (?1, ?2, ?3, ?4, ?5, 0, 'replaying', ?5, ?6, ?5)`,
      topic,
      partition,
      epoch,
      job,
      after,
      through,
    );
  }

  /** Null when it has come to its end, or is none. */
  get(id: number): ReplaySource | null {
    return this.#all(`SELECT ${COLUMNS} FROM sources WHERE id = ?1 AND state = 'replaying'`, id)[0] ?? null;
  }

  /** Those of a job that have not come to their end. */
  unfinished(job: number): ReplaySource[] {
    return this.#all(`SELECT ${COLUMNS} FROM sources WHERE replay = ?1 AND state = 'replaying' ORDER BY id`, job);
  }

  /** The topics of those that go on, with their jobs. */
  running(): { readonly job: number; readonly topic: string }[] {
    const sql = `SELECT DISTINCT replay AS job, topic FROM sources WHERE replay > 0 AND state = 'replaying'`;
    return this.#sql.exec<{ job: number; topic: string }>(sql).toArray();
  }

  /** Replays of events in the range, whether they go on or not. */
  overlapping({ topic, partition, epoch, after, through }: LifeRange): ReplaySource[] {
    return this.#all(
      `SELECT ${COLUMNS} FROM sources
       WHERE topic = ?1 AND partition = ?2 AND epoch = ?3 AND replay > 0 AND began < ?5 AND until > ?4`,
      topic,
      partition,
      epoch,
      after,
      through,
    );
  }

  grant(id: number, granted: number): void {
    this.#sql.exec(`UPDATE sources SET granted = ?2, behind = 1 WHERE id = ?1`, id, granted);
  }

  /** What is not looked at yet stays so. */
  stop(job: number): void {
    this.#sql.exec(`UPDATE sources SET state = 'past', behind = 0 WHERE replay = ?1 AND state = 'replaying'`, job);
  }

  /**
   * Sources of jobs that ended before `endedBefore`, of which nothing is owed, kept or told any more but what open
   * dispatches hold. The newest of all sources is none of them: its number would be given again.
   */
  over(endedBefore: number): number[] {
    const isNamed = ["retries", "waiting", "dead_letters", "delivered", "batch_jobs", "gathers"]
      .map((table) => `EXISTS (SELECT 1 FROM ${table} WHERE source = sources.id)`)
      .join(" OR ");
    const sql = `SELECT id FROM sources WHERE replay > 0 AND state IN ('past', 'retired')
      AND id < (SELECT max(id) FROM sources) AND NOT (${isNamed})
      AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.id = replay AND coalesce(ended_at, ?1) >= ?1)
      ORDER BY id LIMIT ?2`;
    return this.#sql
      .exec<{ id: number }>(sql, endedBefore, FOLDED_AT_ONCE)
      .toArray()
      .map(({ id }) => id);
  }

  /** Its counts go to the first row of its life and to its job, and the row goes. */
  fold(id: number): void {
    this.#sql.exec(
      `UPDATE sources SET matched = sources.matched + gone.matched, delivered = sources.delivered + gone.delivered,
         dead = sources.dead + gone.dead, expired = sources.expired + gone.expired,
         skipped = sources.skipped + gone.skipped, discarded = sources.discarded + gone.discarded
       FROM (SELECT * FROM sources WHERE id = ?1) AS gone
       WHERE sources.id = (SELECT min(id) FROM sources AS life WHERE life.topic = gone.topic
         AND life.partition = gone.partition AND life.epoch = gone.epoch AND life.replay = 0)`,
      id,
    );
    this.#sql.exec(
      `UPDATE jobs SET replayed = replayed + gone.matched,
         done = done + iif(json_extract(spec, '$.mode') = 'force', gone.examined - gone.began, 0)
       FROM (SELECT * FROM sources WHERE id = ?1) AS gone WHERE jobs.id = gone.replay`,
      id,
    );
    this.#sql.exec(`DELETE FROM sources WHERE id = ?1`, id);
  }

  /** Of the rows that there are. */
  tally(job: number): ReplayTally {
    return this.#sql
      .exec<{ done: number; replayed: number }>(
        `SELECT coalesce(sum(examined - began), 0) AS done, coalesce(sum(matched), 0) AS replayed FROM sources
         WHERE replay = ?1`,
        job,
      )
      .one();
  }

  /** From which offset on it is written down what that life passed over. */
  knownSince({ topic, partition, epoch }: SourceName): number {
    const sql = `SELECT coalesce(max(known), 1) AS known FROM sources
      WHERE topic = ?1 AND partition = ?2 AND epoch = ?3`;
    return this.#sql.exec<{ known: number }>(sql, topic, partition, epoch).one().known;
  }

  forgetBefore({ topic, partition, epoch }: SourceName, known: number): void {
    const sql = `UPDATE sources SET known = max(known, ?4) WHERE topic = ?1 AND partition = ?2 AND epoch = ?3`;
    this.#sql.exec(sql, topic, partition, epoch, known);
  }

  #all(sql: string, ...values: readonly (string | number)[]): ReplaySource[] {
    return this.#sql.exec<Row>(sql, ...values).toArray();
  }
}
