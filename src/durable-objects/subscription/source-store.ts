/** The partitions that are followed, how far each has been examined, and what became of its events. */

export interface SourceName {
  readonly topic: string;
  readonly partition: number;
  readonly epoch: number;
}

export interface Source extends SourceName {
  readonly id: number;
  /** Every offset up to this one has been looked at. */
  readonly examined: number;
  /** The log has more, or may have: pull before believing that all is examined. */
  readonly behind: boolean;
  /**
   * `replaying`: it looks at a range once more, beside the row that follows the log. `past`: its log is followed by a
   * later row, or its replay is over; what it owes is owed on.
   */
  readonly state: "live" | "replaying" | "frozen" | "past" | "retired";
  /** The job that it is a replay of; 0: none, it follows the log. */
  readonly replay: number;
  /** Of a replay, the last offset that it may look at now; null: the log's head. */
  readonly granted: number | null;
}

/** Where going round stands among those that are behind. */
export type SourceTurn = Pick<Source, "id" | "replay">;

export const FIRST_TURN: SourceTurn = { id: 0, replay: 0 };

/** What became of matching events; `owed` is not here, it is counted from the rows of what is owed. */
export interface Tally {
  readonly matched: number;
  readonly delivered: number;
  readonly dead: number;
  readonly expired: number;
  readonly skipped: number;
  readonly discarded: number;
}

type Row = Omit<Source, "behind"> & { readonly behind: number };

const COLUMNS = `id, topic, partition, epoch, examined, behind, state, replay, granted`;

export class SourceStore {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get(id: number): Source | null {
    return this.#one(`SELECT ${COLUMNS} FROM sources WHERE id = ?1`, id);
  }

  /** The row that follows that life, or did last. */
  find({ topic, partition, epoch }: SourceName): Source | null {
    const sql = `SELECT ${COLUMNS} FROM sources WHERE topic = ?1 AND partition = ?2 AND epoch = ?3 AND replay = 0
      ORDER BY generation DESC LIMIT 1`;
    return this.#one(sql, topic, partition, epoch);
  }

  /** The newest life of a partition that is known here; 0 for none. */
  latestEpoch(topic: string, partition: number): number {
    const sql = `SELECT coalesce(max(epoch), 0) AS epoch FROM sources WHERE topic = ?1 AND partition = ?2`;
    return this.#sql.exec<{ epoch: number }>(sql, topic, partition).one().epoch;
  }

  /** Lives of a partition up to `epoch` that have not ended yet. */
  unretired(topic: string, partition: number, epoch: number): Source[] {
    return this.#all(
      `SELECT ${COLUMNS} FROM sources WHERE topic = ?1 AND partition = ?2 AND epoch <= ?3 AND state <> 'retired'`,
      topic,
      partition,
      epoch,
    );
  }

  live(): Source[] {
    return this.#all(`SELECT ${COLUMNS} FROM sources WHERE state = 'live' ORDER BY id`);
  }

  all(): Source[] {
    return this.#all(`SELECT ${COLUMNS} FROM sources ORDER BY id`);
  }

  /** All rows of one life of a partition: of every generation, and of replays. */
  ofLife({ topic, partition, epoch }: SourceName): Source[] {
    const sql = `SELECT ${COLUMNS} FROM sources WHERE topic = ?1 AND partition = ?2 AND epoch = ?3 ORDER BY id`;
    return this.#all(sql, topic, partition, epoch);
  }

  /** The rows that follow, or have followed, the partitions of one life of a topic; those of replays are left out. */
  ofTopic(topic: string, epoch: number): Source[] {
    const sql = `SELECT ${COLUMNS} FROM sources WHERE topic = ?1 AND epoch = ?2 AND replay = 0 ORDER BY id`;
    return this.#all(sql, topic, epoch);
  }

  /** The next to pull from after `after`, so that pulls go round: what is new before what is replayed. */
  nextBehind(after: SourceTurn): Source | null {
    return this.#one(
      `SELECT ${COLUMNS} FROM sources WHERE behind = 1 AND state IN ('live', 'replaying') AND (replay, id) > (?1, ?2)
       ORDER BY replay, id LIMIT 1`,
      after.replay,
      after.id,
    );
  }

  isAnyBehind(): boolean {
    return this.nextBehind(FIRST_TURN) !== null;
  }

  insert({ topic, partition, epoch }: SourceName, examined: number, behind: boolean): Source {
    return this.#one(
      `INSERT INTO sources (topic, partition, epoch, examined, behind, state, began)
       VALUES (?1, ?2, ?3, ?4, ?5, 'live', ?4) RETURNING ${COLUMNS}`,
      topic,
      partition,
      epoch,
      examined,
      Number(behind),
    )!;
  }

  /** Its log is followed from `examined` on by a row of its own; what the one before owes is owed on. */
  beginGeneration(source: Source, examined: number): Source {
    this.setState(source.id, "past");
    const { topic, partition, epoch } = source;
    return this.#one(
      `INSERT INTO sources (topic, partition, epoch, generation, examined, behind, state, began)
       SELECT ?1, ?2, ?3, max(generation) + 1, ?4, 1, 'live', ?4 FROM sources
         WHERE topic = ?1 AND partition = ?2 AND epoch = ?3 RETURNING ${COLUMNS}`,
      topic,
      partition,
      epoch,
      examined,
    )!;
  }

  /** Where the earliest of the later generations of its life began: what lies behind that is theirs now. Null: none. */
  laterBegan({ id, topic, partition, epoch }: Source): number | null {
    const sql = `SELECT min(began) AS began FROM sources
      WHERE topic = ?1 AND partition = ?2 AND epoch = ?3 AND replay = 0 AND id > ?4`;
    return this.#sql.exec<{ began: number | null }>(sql, topic, partition, epoch, id).one().began;
  }

  advance(id: number, examined: number, behind: boolean, matched: number): void {
    this.#sql.exec(
      `UPDATE sources SET examined = ?2, behind = ?3, matched = matched + ?4 WHERE id = ?1`,
      id,
      examined,
      Number(behind),
      matched,
    );
  }

  markBehind(id: number): void {
    this.#sql.exec(`UPDATE sources SET behind = 1 WHERE id = ?1 AND behind = 0`, id);
  }

  setState(id: number, state: Source["state"]): void {
    this.#sql.exec(`UPDATE sources SET state = ?2 WHERE id = ?1`, id, state);
  }

  /** Adds to what became of this source's events; numbers may be negative. */
  count(id: number, { delivered = 0, dead = 0, expired = 0, skipped = 0, discarded = 0 }: Partial<Tally>): void {
    this.#sql.exec(
      `UPDATE sources SET delivered = delivered + ?2, dead = dead + ?3, expired = expired + ?4,
         skipped = skipped + ?5, discarded = discarded + ?6 WHERE id = ?1`,
      id,
      delivered,
      dead,
      expired,
      skipped,
      discarded,
    );
  }

  /** Over all sources. Deliveries counted in open dispatches are not in it yet. */
  tally(): Tally {
    return this.#sql
      .exec<{ [Name in keyof Tally]: number }>(
        `SELECT coalesce(sum(matched), 0) AS matched, coalesce(sum(delivered), 0) AS delivered,
         coalesce(sum(dead), 0) AS dead, coalesce(sum(expired), 0) AS expired, coalesce(sum(skipped), 0) AS skipped,
         coalesce(sum(discarded), 0) AS discarded FROM sources`,
      )
      .one();
  }

  #one(sql: string, ...values: readonly (string | number)[]): Source | null {
    return this.#all(sql, ...values)[0] ?? null;
  }

  #all(sql: string, ...values: readonly (string | number)[]): Source[] {
    return this.#sql
      .exec<Row>(sql, ...values)
      .toArray()
      .map((row) => ({ ...row, behind: row.behind === 1 }));
  }
}
