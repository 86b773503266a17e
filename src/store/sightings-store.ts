/** Who was seen to publish and to read, for the catalog. Bounded by app, producers by type; the old is forgotten. */
import { LIMITS } from "../core/limits.ts";
import type { Producer, Reader, Sighting } from "../core/sighting.ts";

interface Row {
  type: string;
  topic: string;
  who: string;
  first_at: number;
  last_at: number;
}

export class SightingsStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Writes nothing where another isolate did so lately, or where there are as many as there may be. */
  async note(app: string, sightings: readonly Sighting[], now: number): Promise<void> {
    await this.#db
      .prepare(
        `INSERT INTO sightings (app, role, type, topic, who, first_at, last_at)
         SELECT ?1, value ->> 'role', value ->> 'type', value ->> 'topic', value ->> 'who', ?3, ?3 FROM json_each(?2)
         WHERE (SELECT count(*) FROM sightings WHERE app = ?1) < ?5
           AND (value ->> 'role' = 'reader' OR ?6 > (SELECT count(*) FROM sightings
                WHERE app = ?1 AND role = 'producer' AND type = value ->> 'type'))
           OR EXISTS (SELECT 1 FROM sightings WHERE app = ?1 AND role = value ->> 'role' AND type = value ->> 'type'
                      AND topic = value ->> 'topic' AND who = value ->> 'who')
         ON CONFLICT (app, role, type, topic, who) DO UPDATE SET last_at = ?3 WHERE last_at < ?4`,
      )
      .bind(
        app,
        JSON.stringify(sightings),
        now,
        now - LIMITS.SIGHTING_RENEW_MS / 2,
        LIMITS.APP_SIGHTINGS_MAX,
        LIMITS.TYPE_SIGHTINGS_MAX,
      )
      .run();
  }

  /** Who published events of these types. */
  async producers(app: string, types: readonly string[]): Promise<readonly Producer[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT type, topic, who, first_at, last_at FROM sightings
         WHERE app = ?1 AND role = 'producer' AND type IN (SELECT value FROM json_each(?2))
         ORDER BY type, topic, who`,
      )
      .bind(app, JSON.stringify(types))
      .all<Row>();
    return results.map(producerOf);
  }

  /** Of every type, the first by type. */
  async allProducers(app: string, limit: number): Promise<readonly Producer[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT type, topic, who, first_at, last_at FROM sightings WHERE app = ?1 AND role = 'producer'
         ORDER BY type, topic, who LIMIT ?2`,
      )
      .bind(app, limit)
      .all<Row>();
    return results.map(producerOf);
  }

  /** Who read these topics, as pages, streams or on sockets. */
  async readers(app: string, topics: readonly string[]): Promise<readonly Reader[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT type, topic, who, first_at, last_at FROM sightings
         WHERE app = ?1 AND role = 'reader' AND type = '' AND topic IN (SELECT value FROM json_each(?2))
         ORDER BY topic, who`,
      )
      .bind(app, JSON.stringify(topics))
      .all<Row>();
    return results.map(({ topic, who, last_at: lastSeenAt }) => {
      const [key, by] = who.split(" ") as [string, Reader["by"]];
      return { topic, key, by, lastSeenAt };
    });
  }

  async purge(now: number): Promise<void> {
    await this.#db
      .prepare(`DELETE FROM sightings WHERE last_at < ?1`)
      .bind(now - LIMITS.SIGHTING_KEEP_MS)
      .run();
  }
}

const producerOf = ({ type, topic, who: source, first_at: firstSeenAt, last_at: lastSeenAt }: Row): Producer => ({
  type,
  topic,
  source,
  firstSeenAt,
  lastSeenAt,
});
