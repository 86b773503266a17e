/** Commands as they were asked for. The only SQL about them. Each change brings its row of the audit log. */
import type { AuditEntry } from "../core/audit.ts";
import type { CommandDefinition } from "../core/command.ts";
import { LIMITS } from "../core/limits.ts";
import { auditStatement } from "./audit-store.ts";

interface Row {
  definition: string;
}

export class CommandsStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async find(app: string, name: string): Promise<CommandDefinition | null> {
    const row = await this.#db
      .prepare(`SELECT definition FROM commands WHERE app = ?1 AND name = ?2`)
      .bind(app, name)
      .first<Row>();
    return row === null ? null : definitionOf(row);
  }

  /** By name, after `after`. */
  async list(app: string, after: string, limit: number): Promise<CommandDefinition[]> {
    const { results } = await this.#db
      .prepare(`SELECT definition FROM commands WHERE app = ?1 AND name > ?2 ORDER BY name LIMIT ?3`)
      .bind(app, after, limit)
      .all<Row>();
    return results.map(definitionOf);
  }

  /** A first definition, in an app that is there and has room; false: there is one, or there is no room. */
  insert(definition: CommandDefinition, entry: AuditEntry): Promise<boolean> {
    const { app, name, id, revision } = definition;
    const insert = this.#db
      .prepare(
        `INSERT INTO commands (app, name, id, revision, definition) SELECT ?1, ?2, ?3, ?4, ?5
         WHERE (SELECT count(*) FROM commands WHERE app = ?1) < ?6
           AND EXISTS (SELECT 1 FROM apps WHERE id = ?1 AND deleted_at IS NULL)
         ON CONFLICT (app, name) DO NOTHING`,
      )
      .bind(app, name, id, revision, JSON.stringify(definition), LIMITS.APP_COMMANDS_MAX);
    return this.#change(insert, entry);
  }

  /** Replaces the definition of the revision before; false when another request was first. */
  replace(definition: CommandDefinition, entry: AuditEntry): Promise<boolean> {
    const { app, name, id, revision } = definition;
    const update = this.#db
      .prepare(
        `UPDATE commands SET revision = ?4, definition = ?5
         WHERE app = ?1 AND name = ?2 AND id = ?3 AND revision = ?4 - 1`,
      )
      .bind(app, name, id, revision, JSON.stringify(definition));
    return this.#change(update, entry);
  }

  /** Removes it as it was read; false when another request was first. */
  remove({ app, name, id, revision }: CommandDefinition, entry: AuditEntry): Promise<boolean> {
    const removal = this.#db
      .prepare(`DELETE FROM commands WHERE app = ?1 AND name = ?2 AND id = ?3 AND revision = ?4`)
      .bind(app, name, id, revision);
    return this.#change(removal, entry);
  }

  async #change(statement: D1PreparedStatement, entry: AuditEntry): Promise<boolean> {
    const [changed] = await this.#db.batch([statement, auditStatement(this.#db, entry)]);
    return changed!.meta.changes === 1;
  }
}

const definitionOf = ({ definition }: Row): CommandDefinition => JSON.parse(definition) as CommandDefinition;
