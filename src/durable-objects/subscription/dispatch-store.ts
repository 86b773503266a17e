/** Dispatches that are open: sent to the queue and not settled to the end. */

import { earliestEnd, type Lease } from "../../core/lease.ts";

/** One delivery in a dispatch, as its row keeps it. Those of one lane stand in order and in one dispatch only. */
export type OpenDelivery = readonly [source: number, offset: number, attempt: number, lane?: string];

export interface Dispatch {
  readonly id: number;
  readonly deliveries: readonly OpenDelivery[];
  /** How many were delivered out of this dispatch, by source; not in the sources' counters yet. */
  readonly delivered: Readonly<Record<number, number>>;
  /** Its deliveries have rows in `retries`. */
  readonly parked: boolean;
  readonly openedAt: number;
  /** Counts claims, and fences the settles of those that are over. */
  readonly claim: number;
  /** 0: nobody holds it. */
  readonly leaseUntil: number;
  /** When it is sent again if nobody has claimed it. */
  readonly ringAt: number;
  readonly rings: number;
  /** Claims in a row that ended without a settle. */
  readonly lapses: number;
  /** Of deliveries that pull workers hold, by `placeKey`; null: it goes through the queue. */
  readonly leases: Leases | null;
}

export type Leases = Readonly<Record<string, Lease>>;

type Row = {
  id: number;
  deliveries: string;
  delivered: string;
  parked: number;
  opened_at: number;
  claim: number;
  lease_until: number;
  ring_at: number;
  rings: number;
  lapses: number;
  leases: string | null;
};

/** What a claim changes. */
type Held = Pick<Dispatch, "claim" | "leaseUntil">;

export class DispatchStore {
  readonly #sql: SqlStorage;
  /** Claims that no row says of yet, by dispatch: whoever reads a dispatch here is told of them all the same. */
  readonly #held = new Map<number, Held>();

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get(id: number): Dispatch | null {
    return this.#all(`SELECT * FROM dispatches WHERE id = ?1`, id)[0] ?? null;
  }

  all(): Dispatch[] {
    return this.#all(`SELECT * FROM dispatches ORDER BY id`);
  }

  /** Unclaimed and due to be sent again. */
  toRing(now: number): Dispatch[] {
    const sql = `SELECT * FROM dispatches WHERE lease_until = 0 AND ring_at <= ?1 ORDER BY ring_at`;
    return this.#all(sql, now).filter(({ leaseUntil }) => leaseUntil === 0);
  }

  lapsed(now: number): Dispatch[] {
    return this.#all(`SELECT * FROM dispatches WHERE lease_until BETWEEN 1 AND ?1 ORDER BY lease_until`, now);
  }

  /** How many dispatches are open, and how many deliveries in them. */
  openCounts(): { readonly dispatches: number; readonly deliveries: number } {
    return this.#sql
      .exec<{ dispatches: number; deliveries: number }>(
        `SELECT count(*) AS dispatches, coalesce(sum(open), 0) AS deliveries FROM dispatches`,
      )
      .one();
  }

  nextTimes(): { readonly ringAt: number | null; readonly leaseUntil: number | null } {
    return this.#sql
      .exec<{ ringAt: number | null; leaseUntil: number | null }>(
        `SELECT min(CASE WHEN lease_until = 0 THEN ring_at END) AS ringAt,
         min(CASE WHEN lease_until > 0 THEN lease_until END) AS leaseUntil FROM dispatches`,
      )
      .one();
  }

  /** `openedAt`: since when the first of its deliveries is owed. */
  insert(id: number, deliveries: readonly OpenDelivery[], parked: boolean, openedAt: number, ringAt: number): void {
    this.#sql.exec(
      `INSERT INTO dispatches
         (id, deliveries, open, delivered, parked, opened_at, claim, lease_until, ring_at, rings, lapses)
       VALUES (?, ?, ?, '{}', ?, ?, 0, 0, ?, 0, 0)`,
      id,
      JSON.stringify(deliveries),
      deliveries.length,
      Number(parked),
      openedAt,
      ringAt,
    );
  }

  /** Held by a pull worker from the beginning; `leaseUntil`: the earliest end of its leases. */
  insertLeased(id: number, deliveries: readonly OpenDelivery[], parked: boolean, now: number, leases: Leases): void {
    this.#sql.exec(
      `INSERT INTO dispatches
         (id, deliveries, open, delivered, parked, opened_at, claim, lease_until, ring_at, rings, lapses, leases)
       VALUES (?, ?, ?, '{}', ?, ?, 1, ?, 0, 0, 0, ?)`,
      id,
      JSON.stringify(deliveries),
      deliveries.length,
      Number(parked),
      now,
      earliestEnd(leases),
      JSON.stringify(leases),
    );
  }

  /**
   * Without a row, until another change of the dispatch writes one or `writeHeld` does: it goes with the object. It is
   * remembered beyond that, for a change may be rolled back; what counts is the row once it knows of a claim.
   */
  hold({ id, claim, leaseUntil }: Dispatch): void {
    this.#held.set(id, { claim, leaseUntil });
  }

  isHeld(id: number): boolean {
    return this.#held.has(id) && this.#neverClaimed(id);
  }

  writeHeld(): void {
    for (const id of this.#held.keys()) {
      if (this.#neverClaimed(id)) this.update(this.get(id)!);
      else this.#held.delete(id);
    }
  }

  update(dispatch: Dispatch): void {
    this.#sql.exec(
      `UPDATE dispatches SET deliveries = ?2, open = ?3, delivered = ?4, claim = ?5, lease_until = ?6, ring_at = ?7,
         rings = ?8, lapses = ?9, leases = ?10 WHERE id = ?1`,
      dispatch.id,
      JSON.stringify(dispatch.deliveries),
      dispatch.deliveries.length,
      JSON.stringify(dispatch.delivered),
      dispatch.claim,
      dispatch.leaseUntil,
      dispatch.ringAt,
      dispatch.rings,
      dispatch.lapses,
      dispatch.leases === null ? null : JSON.stringify(dispatch.leases),
    );
  }

  remove(id: number): void {
    this.#sql.exec(`DELETE FROM dispatches WHERE id = ?1`, id);
  }

  /** By its row. */
  #neverClaimed(id: number): boolean {
    return this.#sql.exec(`SELECT 1 FROM dispatches WHERE id = ?1 AND claim = 0`, id).toArray().length > 0;
  }

  #all(sql: string, ...values: readonly number[]): Dispatch[] {
    return this.#sql
      .exec<Row>(sql, ...values)
      .toArray()
      .map((row) => ({
        id: row.id,
        deliveries: JSON.parse(row.deliveries) as OpenDelivery[],
        delivered: JSON.parse(row.delivered) as Record<number, number>,
        parked: row.parked === 1,
        openedAt: row.opened_at,
        claim: row.claim,
        leaseUntil: row.lease_until,
        ringAt: row.ring_at,
        rings: row.rings,
        lapses: row.lapses,
        leases: row.leases === null ? null : (JSON.parse(row.leases) as Leases),
        ...(row.claim === 0 && this.#held.get(row.id)),
      }));
  }
}
