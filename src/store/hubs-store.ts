/** Hubs in use, by app. A row is never taken back while its app lives: a hub that has emptied may fill again. */
import type { HubPlace, HubProtocol, HubRegion } from "../core/hub-place.ts";

interface Row {
  app: string;
  protocol: HubProtocol;
  region: HubRegion;
  shard: number;
}

export class HubsStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** Every hub that may hold sockets of the app. */
  async of(app: string): Promise<HubPlace[]> {
    const { results } = await this.#db
      .prepare(`SELECT app, protocol, region, shard FROM hubs WHERE app = ?1 ORDER BY protocol, region, shard`)
      .bind(app)
      .all<Row>();
    return results;
  }

  /** To be called before its first socket. Harmless where it is there already. */
  async add({ app, protocol, region, shard }: HubPlace, now: number): Promise<void> {
    await this.#db
      .prepare(
        `INSERT INTO hubs (app, protocol, region, shard, made_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING`,
      )
      .bind(app, protocol, region, shard, now)
      .run();
  }
}
