/** API keys straight into the database, and a database that tells what it was asked. For tests inside the runtime. */
import type { AuditEntry } from "../../src/core/audit.ts";
import { parseScope } from "../../src/core/scope.ts";
import { ApiKeysStore, type KeyRecord } from "../../src/store/api-keys-store.ts";
import { AppsStore, type AppRecord } from "../../src/store/apps-store.ts";
import { mintKeyId, mintSecret } from "../../src/worker/access/api-key.ts";
import { env } from "./objects.ts";

export interface MadeKey {
  /** As its owner has it. */
  readonly text: string;
  readonly record: KeyRecord;
}

let apps = 0;

export async function makeApp(more: Partial<AppRecord> = {}): Promise<AppRecord> {
  apps += 1;
  const app = { id: `app_made_${apps}`, name: `made-${apps}`, origins: null, quotas: {}, createdAt: 0, ...more };
  await new AppsStore(env.DB).insert(app, entryOf(app.id, "app.created"));
  return app;
}

export async function makeKey(more: Partial<KeyRecord> = {}, scopes: readonly string[] = ["admin"]): Promise<MadeKey> {
  const app = more.app ?? (await makeApp());
  const id = mintKeyId();
  const { key: text, secretHash } = mintSecret(id);
  const record: KeyRecord = {
    id,
    app,
    name: "made",
    secretHash,
    previousHash: null,
    previousUntil: null,
    scopes: scopes.map((scope) => parseScope(scope)!),
    quotas: {},
    tokenAlgorithm: "HS256",
    tokenKey: "",
    pusherSecret: null,
    previousPusherSecret: null,
    createdAt: Date.now(),
    expiresAt: null,
    lastUsedAt: null,
    ...more,
  };
  await new ApiKeysStore(env.DB).insert(record, 1_000, entryOf(app.id, "key.created"));
  return { text, record };
}

export const entryOf = (app: string, action: AuditEntry["action"]): AuditEntry => ({
  app,
  action,
  actor: "root",
  request: "tests",
  at: Date.now(),
  subject: "made",
  before: null,
  after: null,
});

/** The database of the test, which notes each statement that is prepared and may hold its answer back. */
export class WatchedDatabase {
  readonly asked: string[] = [];
  readonly database: D1Database;
  /** Whoever asks what matches waits for this first. */
  hold: { readonly sql: RegExp; readonly until: Promise<void> } | null = null;

  constructor(real: D1Database = env.DB) {
    this.database = new Proxy(real, {
      get: (target, name) => {
        if (name !== "prepare") return (target[name as keyof D1Database] as () => unknown).bind(target);
        return (sql: string) => this.#watch(target.prepare(sql), sql);
      },
    });
  }

  count(sql: RegExp): number {
    return this.asked.filter((text) => sql.test(text)).length;
  }

  #watch(statement: D1PreparedStatement, sql: string): D1PreparedStatement {
    this.asked.push(sql);
    const hold = this.hold;
    if (hold === null || !hold.sql.test(sql)) return statement;
    return new Proxy(statement, {
      get: (target, name) => {
        if (name === "bind") return (...values: unknown[]) => this.#held(target.bind(...values), hold.until);
        return (target[name as keyof D1PreparedStatement] as () => unknown).bind(target);
      },
    });
  }

  #held(statement: D1PreparedStatement, until: Promise<void>): D1PreparedStatement {
    return new Proxy(statement, {
      get: (target, name) => async () => {
        await until;
        return (target[name as "all"] as () => Promise<unknown>).call(target);
      },
    });
  }
}
