/** Schemas of event types, version by version. Each change brings its row of the audit log. */
import type { AuditEntry } from "../core/audit.ts";
import type { Compatibility } from "../core/schema-compatibility.ts";
import { auditStatement } from "./audit-store.ts";

export interface SchemaRecord {
  readonly app: string;
  readonly type: string;
  readonly version: number;
  /** JSON text. */
  readonly schema: string;
  readonly compatibility: Compatibility;
  /** JSON text: how events of the version before become events of this one; null: nobody has said. */
  readonly upcast: string | null;
  readonly owner: string | null;
  /** Milliseconds. */
  readonly createdAt: number;
}

interface Row {
  app: string;
  type: string;
  version: number;
  schema: string;
  compatibility: Compatibility;
  upcast: string | null;
  owner: string | null;
  created_at: number;
}

/** A page of them is small: the schemas themselves, up to 64 KB each, stay where they are. */
export type SchemaFacts = Omit<SchemaRecord, "app" | "schema" | "upcast">;

type FactsRow = Omit<Row, "app" | "schema" | "upcast">;

const FACTS = `type, version, compatibility, owner, created_at`;

const COLUMNS = `app, type, version, schema, compatibility, upcast, owner, created_at`;

export class SchemasStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  /** The newest version of each type of the app. */
  async newestVersions(app: string): Promise<ReadonlyMap<string, number>> {
    const { results } = await this.#db
      .prepare(`SELECT type, max(version) AS version FROM schemas WHERE app = ?1 GROUP BY type`)
      .bind(app)
      .all<{ type: string; version: number }>();
    return new Map(results.map(({ type, version }) => [type, version]));
  }

  async find(app: string, type: string, version: number): Promise<SchemaRecord | null> {
    const row = await this.#db
      .prepare(`SELECT ${COLUMNS} FROM schemas WHERE app = ?1 AND type = ?2 AND version = ?3`)
      .bind(app, type, version)
      .first<Row>();
    return row === null ? null : recordOf(row);
  }

  async newest(app: string, type: string): Promise<SchemaRecord | null> {
    const row = await this.#db
      .prepare(`SELECT ${COLUMNS} FROM schemas WHERE app = ?1 AND type = ?2 ORDER BY version DESC LIMIT 1`)
      .bind(app, type)
      .first<Row>();
    return row === null ? null : recordOf(row);
  }

  /** The newest of each of these types that has one. */
  async newestOf(app: string, types: readonly string[]): Promise<ReadonlyMap<string, SchemaRecord>> {
    const { results } = await this.#db
      .prepare(
        `SELECT ${COLUMNS} FROM schemas s WHERE app = ?1 AND type IN (SELECT value FROM json_each(?2)) AND version =
           (SELECT max(version) FROM schemas WHERE app = s.app AND type = s.type)`,
      )
      .bind(app, JSON.stringify(types))
      .all<Row>();
    return new Map(results.map((row) => [row.type, recordOf(row)]));
  }

  /** In order. */
  async versions(app: string, type: string): Promise<SchemaRecord[]> {
    const { results } = await this.#db
      .prepare(`SELECT ${COLUMNS} FROM schemas WHERE app = ?1 AND type = ?2 ORDER BY version`)
      .bind(app, type)
      .all<Row>();
    return results.map(recordOf);
  }

  /** What each version says of the one before it, in order. */
  async upcasts(app: string, type: string): Promise<readonly (string | null)[]> {
    const { results } = await this.#db
      .prepare(`SELECT upcast FROM schemas WHERE app = ?1 AND type = ?2 ORDER BY version`)
      .bind(app, type)
      .all<{ upcast: string | null }>();
    return results.map(({ upcast }) => upcast);
  }

  /** What each version is but for its schema, in order. */
  async versionFacts(app: string, type: string): Promise<SchemaFacts[]> {
    const { results } = await this.#db
      .prepare(`SELECT ${FACTS} FROM schemas WHERE app = ?1 AND type = ?2 ORDER BY version`)
      .bind(app, type)
      .all<FactsRow>();
    return results.map(factsOf);
  }

  /** Likewise the newest version of each type, by type, after `after`. */
  async list(app: string, after: string, limit: number): Promise<SchemaFacts[]> {
    const { results } = await this.#db
      .prepare(
        `SELECT ${FACTS} FROM schemas s WHERE app = ?1 AND type > ?2 AND version =
           (SELECT max(version) FROM schemas WHERE app = s.app AND type = s.type)
         ORDER BY type LIMIT ?3`,
      )
      .bind(app, after, limit)
      .all<FactsRow>();
    return results.map(factsOf);
  }

  /**
   * Adds a version that nobody has added meanwhile, to an app that is there; a first one only while the app has fewer
   * than `typesMax` types. False: it was not added.
   */
  async insert(schema: SchemaRecord, typesMax: number, entry: AuditEntry): Promise<boolean> {
    const insert = this.#db
      .prepare(
        `INSERT INTO schemas (app, type, version, schema, compatibility, owner, created_at, upcast)
         SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?9
         WHERE EXISTS (SELECT 1 FROM apps WHERE id = ?1 AND deleted_at IS NULL)
           AND (?3 > 1 OR (SELECT count(DISTINCT type) FROM schemas WHERE app = ?1) < ?8)
         ON CONFLICT (app, type, version) DO NOTHING`,
      )
      .bind(
        schema.app,
        schema.type,
        schema.version,
        schema.schema,
        schema.compatibility,
        schema.owner,
        schema.createdAt,
        typesMax,
        schema.upcast,
      );
    return this.#change(insert, entry);
  }

  /** What may change of the newest version; false when there is a newer one, or it was changed since it was read. */
  async replace(schema: SchemaRecord, changed: SchemaRecord, entry: AuditEntry): Promise<boolean> {
    const update = this.#db
      .prepare(
        `UPDATE schemas SET compatibility = ?4, owner = ?5
         WHERE app = ?1 AND type = ?2 AND version = ?3 AND compatibility = ?6 AND owner IS ?7
           AND NOT EXISTS (SELECT 1 FROM schemas WHERE app = ?1 AND type = ?2 AND version > ?3)`,
      )
      .bind(
        schema.app,
        schema.type,
        schema.version,
        changed.compatibility,
        changed.owner,
        schema.compatibility,
        schema.owner,
      );
    return this.#change(update, entry);
  }

  async #change(statement: D1PreparedStatement, entry: AuditEntry): Promise<boolean> {
    const [changed] = await this.#db.batch([statement, auditStatement(this.#db, entry)]);
    return changed!.meta.changes === 1;
  }
}

const factsOf = ({ created_at: createdAt, ...row }: FactsRow): SchemaFacts => ({ ...row, createdAt });

const recordOf = ({ created_at: createdAt, ...row }: Row): SchemaRecord => ({ ...row, createdAt });
