import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { applyMigrations, type ObjectMigration } from "../../src/durable-objects/object-migrations.ts";
import { subscription } from "../../src/stubs.ts";
import { env } from "../builders/objects.ts";

const FIRST: ObjectMigration = {
  id: 101,
  statements: ["CREATE TABLE one (a INTEGER)", "INSERT INTO one (a) VALUES (1)"],
};
const SECOND: ObjectMigration = { id: 102, statements: ["ALTER TABLE one ADD COLUMN b INTEGER"] };
const BROKEN: ObjectMigration = { id: 103, statements: ["CREATE TABLE two (a INTEGER)", "this is not SQL"] };

/** An object whose own migrations are forgotten, so that the test's are the first. */
const inFreshObject = (name: string, test: (storage: DurableObjectStorage) => void): Promise<void> =>
  runInDurableObject(subscription(env, "app_test", name), async (_instance, { storage }) => {
    await storage.deleteAll();
    test(storage);
  });

it("[DLV-21] migrations apply once each, in order, over several wakes", () =>
  inFreshObject("migrated", (storage) => {
    applyMigrations(storage, [FIRST]);
    applyMigrations(storage, [FIRST, SECOND]);
    applyMigrations(storage, [FIRST, SECOND]);
    expect(storage.sql.exec("SELECT a, b FROM one").toArray()).toEqual([{ a: 1, b: null }]);
  }));

it("[DLV-21] a failed migration leaves nothing behind and is tried again", () =>
  inFreshObject("broken", (storage) => {
    expect(() => applyMigrations(storage, [FIRST, BROKEN])).toThrow();
    expect(storage.sql.exec("SELECT name FROM sqlite_master WHERE name = 'two'").toArray()).toEqual([]);
    applyMigrations(storage, [FIRST, { ...BROKEN, statements: ["CREATE TABLE two (a INTEGER)"] }]);
    expect(storage.sql.exec("SELECT count(*) AS rows FROM two").one()).toEqual({ rows: 0 });
  }));

it("[DLV-21] older code does not write into newer tables", () =>
  inFreshObject("newer", (storage) => {
    applyMigrations(storage, [FIRST, SECOND]);
    expect(() => applyMigrations(storage, [FIRST])).toThrow("invariant broken");
  }));
