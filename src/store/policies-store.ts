/** An app's policies of topics. The only SQL about them. Each change brings its row of the audit log. */
import type { AuditEntry } from "../core/audit.ts";
import { LIMITS } from "../core/limits.ts";
import type { TopicPolicy } from "../core/topic-policy.ts";
import { auditStatement } from "./audit-store.ts";

interface Row {
  definition: string;
}

export class PoliciesStore {
  readonly #db: D1Database;

  constructor(db: D1Database) {
    this.#db = db;
  }

  async find(app: string, name: string): Promise<TopicPolicy | null> {
    const row = await this.#db
      .prepare(`SELECT definition FROM topic_policies WHERE app = ?1 AND name = ?2`)
      .bind(app, name)
      .first<Row>();
    return row === null ? null : policyOf(row);
  }

  /** All of them, by name: an app has few. */
  async all(app: string): Promise<TopicPolicy[]> {
    const { results } = await this.#db
      .prepare(`SELECT definition FROM topic_policies WHERE app = ?1 ORDER BY name`)
      .bind(app)
      .all<Row>();
    return results.map(policyOf);
  }

  /** False when it would be one too many; of racing requests never one is. */
  async put(policy: TopicPolicy, entry: AuditEntry): Promise<boolean> {
    const insert = this.#db
      .prepare(
        `INSERT INTO topic_policies (app, name, definition) SELECT ?1, ?2, ?3
         WHERE (SELECT count(*) FROM topic_policies WHERE app = ?1 AND name <> ?2) < ?4
         ON CONFLICT (app, name) DO UPDATE SET definition = excluded.definition RETURNING definition`,
      )
      .bind(entry.app, policy.name, JSON.stringify(policy), LIMITS.APP_POLICIES_MAX);
    const [put] = await this.#db.batch<Row>([insert, auditStatement(this.#db, entry)]);
    return put!.results.length > 0;
  }

  /** False when it is not there. */
  async remove(name: string, entry: AuditEntry): Promise<boolean> {
    const removal = this.#db
      .prepare(`DELETE FROM topic_policies WHERE app = ?1 AND name = ?2 RETURNING definition`)
      .bind(entry.app, name);
    const [removed] = await this.#db.batch<Row>([removal, auditStatement(this.#db, entry)]);
    return removed!.results.length > 0;
  }
}

const policyOf = ({ definition }: Row): TopicPolicy => JSON.parse(definition) as TopicPolicy;
