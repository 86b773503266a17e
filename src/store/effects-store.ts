/**
 * The idempotency keys of listeners: an event's effects in D1 happen once, because its key commits with them. The key
 * is `effectKey(…)`, in the column that held the delivery's id before.
 */

/** An event can come again while it is owed or its log holds it; a key outlives any retention that is usual. */
const KEEP_MS = 90 * 24 * 3_600_000;
const PURGE_ROWS = 5_000;

export async function isApplied(db: D1Database, subscriptionId: string, key: string): Promise<boolean> {
  const row = await db
    .prepare(`SELECT 1 FROM listener_effects WHERE subscription_id = ?1 AND delivery_id = ?2`)
    .bind(subscriptionId, key)
    .first();
  return row !== null;
}

/** One transaction. When the key stands already the effects do too, and nothing happens. Throws what else D1 throws. */
export async function applyOnce(
  db: D1Database,
  subscriptionId: string,
  key: string,
  effects: readonly D1PreparedStatement[],
  now: number,
): Promise<void> {
  const claim = db
    .prepare(`INSERT INTO listener_effects (subscription_id, delivery_id, applied_at) VALUES (?1, ?2, ?3)`)
    .bind(subscriptionId, key, now);
  try {
    await db.batch([claim, ...effects]);
  } catch (error) {
    // Not by the message: what counts is whether the key stands. An effect may break a constraint of its own.
    if (!(await isApplied(db, subscriptionId, key))) throw error;
  }
}

/** For the cron: one slice of forgetting. */
export async function purgeEffects(db: D1Database, now: number): Promise<void> {
  await db
    .prepare(
      `DELETE FROM listener_effects WHERE (subscription_id, delivery_id) IN (
       SELECT subscription_id, delivery_id FROM listener_effects WHERE applied_at < ?1 ORDER BY applied_at LIMIT ?2)`,
    )
    .bind(now - KEEP_MS, PURGE_ROWS)
    .run();
}
