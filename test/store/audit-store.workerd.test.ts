import { beforeAll, describe, expect, it } from "vitest";
import type { AuditEntry } from "../../src/core/audit.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { AuditStore, auditStatement, type AuditQuery } from "../../src/store/audit-store.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

let store: AuditStore;

beforeAll(async () => {
  await migrateDatabase();
  await env.DB.prepare(`CREATE TABLE things (name TEXT PRIMARY KEY, value INTEGER)`).run();
  store = new AuditStore(env.DB);
});

const NOW = Date.UTC(2026, 10, 20);

const makeEntry = (app: string, more: Partial<AuditEntry> = {}): AuditEntry => ({
  app,
  actor: "root",
  request: "request-1",
  at: NOW,
  action: "topic.changed",
  subject: "orders",
  before: null,
  after: { value: 1 },
  ...more,
});

const all = (app: string): AuditQuery => ({ app, order: "asc", after: null, limit: 100, action: null, subject: null });

describe("auditStatement", () => {
  /** Each: a statement on `things` that changes a row the first time and none the second time. */
  const CHANGES = {
    "an insert that a conflict turns away": `INSERT INTO things VALUES ('a', 1) ON CONFLICT DO NOTHING`,
    "an upsert with a condition, read back": `INSERT INTO things VALUES ('b', 1)
       ON CONFLICT (name) DO UPDATE SET value = 2 WHERE value = 0 RETURNING *`,
    "an insert from a select, read back": `INSERT INTO things SELECT 'c', 1
       WHERE (SELECT count(*) FROM things WHERE name = 'c') < 1 ON CONFLICT DO NOTHING RETURNING *`,
    "an update, read back": `UPDATE things SET value = 4 WHERE name = 'b' AND value = 1 RETURNING *`,
    "a removal, read back": `DELETE FROM things WHERE name = 'c' RETURNING *`,
  };

  it.each(Object.entries(CHANGES))("[AUD-1] tells of %s once: the loser of a race leaves no row", async (app, sql) => {
    const change = () => env.DB.batch([env.DB.prepare(sql), auditStatement(env.DB, makeEntry(app))]);
    await Promise.all([change(), change(), change()]);
    expect((await store.list(all(app))).rows).toHaveLength(1);
  });

  it("[AUD-1] goes with its change when the batch fails", async () => {
    const broken = env.DB.prepare(`INSERT INTO things VALUES ('d', 1), ('d', 2)`);
    const change = env.DB.prepare(`INSERT INTO things VALUES ('e', 1)`);
    await expect(env.DB.batch([change, auditStatement(env.DB, makeEntry("failed")), broken])).rejects.toThrow();
    expect((await store.list(all("failed"))).rows).toEqual([]);
  });
});

describe("AuditStore", () => {
  it("[AUD-5] ends a page at 4 MB, and goes on behind it", async () => {
    const text = "x".repeat(LIMITS.PAGE_BYTES_MAX / 4);
    for (let row = 0; row < 8; row += 1) await store.record(makeEntry("large", { before: row, after: text.slice(9) }));
    for (const order of ["asc", "desc"] as const) {
      const { rows, isLast } = await store.list({ ...all("large"), order });
      expect([rows.length, isLast]).toEqual([4, false]);
      const rest = await store.list({ ...all("large"), order, after: rows.at(-1)!.seq });
      expect([rest.rows.length, rest.isLast]).toEqual([4, true]);
    }
  });

  it("[AUD-6] forgets a row when it is a year old, and none before", async () => {
    const later = NOW + LIMITS.AUDIT_KEEP_MS;
    await store.record(makeEntry("purged", { at: NOW - 1, subject: "old" }));
    await store.record(makeEntry("purged", { at: NOW, subject: "young" }));
    while ((await store.purge(later)) > 0);
    expect((await store.list(all("purged"))).rows.map(({ subject }) => subject)).toEqual(["young"]);
  });
});
