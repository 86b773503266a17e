/** Counts of events by topic and type. */
export interface EventCount {
  readonly topic: string;
  readonly type: string;
  readonly events: number;
  readonly updatedAt: number;
}

/** Not run here: it commits together with the delivery's idempotency key. */
export const countEvent = (
  db: D1Database,
  app: string,
  topic: string,
  type: string,
  now: number,
): D1PreparedStatement =>
  db
    .prepare(
      `INSERT INTO analytics_counts (app, topic, type, events, updated_at) VALUES (?1, ?2, ?3, 1, ?4)
     ON CONFLICT (app, topic, type) DO UPDATE SET events = events + 1, updated_at = excluded.updated_at`,
    )
    .bind(app, topic, type, now);

export async function readEventCounts(db: D1Database, app: string): Promise<EventCount[]> {
  const { results } = await db
    .prepare(
      `SELECT topic, type, events, updated_at AS updatedAt FROM analytics_counts WHERE app = ?1 ORDER BY topic, type`,
    )
    .bind(app)
    .all<{ topic: string; type: string; events: number; updatedAt: number }>();
  return results;
}
