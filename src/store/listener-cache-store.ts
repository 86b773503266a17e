/** What listeners keep for a while, by app and key. Writes are not run here: they commit with a delivery's key. */

const PURGE_ROWS = 5_000;

/** `value` is JSON text; `expiresAt` in milliseconds. */
export const putCached = (
  db: D1Database,
  app: string,
  key: string,
  value: string,
  expiresAt: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO listener_cache (app, key, value, expires_at) VALUES (?1, ?2, ?3, ?4)
     ON CONFLICT (app, key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`,
    )
    .bind(app, key, value, expiresAt);

export const deleteCached = (db: D1Database, app: string, key: string): D1PreparedStatement =>
  db.prepare(`DELETE FROM listener_cache WHERE app = ?1 AND key = ?2`).bind(app, key);

/** JSON text; null when there is none, or when its time is over. */
export async function readCached(db: D1Database, app: string, key: string, now: number): Promise<string | null> {
  const row = await db
    .prepare(`SELECT value FROM listener_cache WHERE app = ?1 AND key = ?2 AND expires_at > ?3`)
    .bind(app, key, now)
    .first<{ value: string }>();
  return row?.value ?? null;
}

/** For the cron: one slice of what is over. */
export async function purgeCached(db: D1Database, now: number): Promise<void> {
  await db
    .prepare(
      `DELETE FROM listener_cache WHERE (app, key) IN (
       SELECT app, key FROM listener_cache WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)`,
    )
    .bind(now, PURGE_ROWS)
    .run();
}
