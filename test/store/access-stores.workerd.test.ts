import { beforeAll, describe, expect, it } from "vitest";
import { makeRevocation } from "../../src/core/revocation.ts";
import { ApiKeysStore } from "../../src/store/api-keys-store.ts";
import { AppsStore } from "../../src/store/apps-store.ts";
import { entryOf, makeApp, makeKey } from "../builders/api-keys.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

beforeAll(migrateDatabase);

/** What was written beside the changes of an app and its keys, in order. */
async function told(app: string): Promise<unknown[]> {
  const of = (sql: string) => env.DB.prepare(sql).bind(app).all<{ said: string }>();
  const audit = await of("SELECT action AS said FROM audit WHERE app = ? ORDER BY seq");
  const changes = await of("SELECT kind AS said FROM access_changes WHERE app = ? ORDER BY version");
  return [...audit.results, ...changes.results].map(({ said }) => said);
}

describe("of two changes to what both have read", () => {
  it("[ACC-7] one rotation counts, and the other leaves no trace", async () => {
    const { record } = await makeKey();
    const { id: app } = record.app;
    const store = new ApiKeysStore(env.DB);
    const rotateTo = (secretHash: string) => {
      const rotated = { ...record, secretHash, previousHash: record.secretHash, previousUntil: 5 };
      const ended = ["s1", "s0"].map((secret) => makeRevocation(app, "secret", `${record.id}.${secret}`, 5));
      return store.rotate(record, rotated, ended, entryOf(app, "key.rotated"));
    };
    expect([await rotateTo("first"), await rotateTo("second")]).toEqual([true, false]);
    const kept = { secretHash: "first", previousHash: record.secretHash, previousUntil: 5 };
    expect(await store.find(record.id)).toMatchObject(kept);
    expect(await told(app)).toEqual(["app.created", "key.created", "key.rotated", "changed_key", "secret", "secret"]);
  });

  it("[ACC-8] a key is revoked once, and not by another app", async () => {
    const [{ record }, other] = [await makeKey(), await makeApp()];
    const { id: app } = record.app;
    const store = new ApiKeysStore(env.DB);
    const revokeIn = (of: string) =>
      store.revoke(makeRevocation(of, "key", record.id, Date.now()), entryOf(of, "key.revoked"));
    expect(await revokeIn(other.id)).toBe(false);
    expect(await store.find(record.id)).not.toBeNull();
    expect([await revokeIn(app), await revokeIn(app)]).toEqual([true, false]);
    expect(await store.find(record.id)).toBeNull();
    expect(await told(app)).toEqual(["app.created", "key.created", "key.revoked", "key"]);
    expect(await told(other.id)).toEqual(["app.created"]);
  });

  it("[ACC-16] one change of an app counts, and the other leaves no trace", async () => {
    const app = await makeApp({ origins: ["https://a.example"] });
    const store = new AppsStore(env.DB);
    const changeTo = (topics: number) =>
      store.replace(app, { ...app, quotas: { topics } }, entryOf(app.id, "app.changed"));
    expect([await changeTo(1), await changeTo(2)]).toEqual([true, false]);
    expect((await store.find(app.name))?.quotas).toEqual({ topics: 1 });
    expect(await told(app.id)).toEqual(["app.created", "app.changed", "changed_app"]);
  });

  it("[ACC-18] an app ends once, and its name is free for one other", async () => {
    const app = await makeApp();
    const store = new AppsStore(env.DB);
    const end = () => store.remove(makeRevocation(app.id, "app", app.id, Date.now()), entryOf(app.id, "app.deleted"));
    const again = (id: string) => store.insert({ ...app, id }, entryOf(id, "app.created"));
    expect(await again("app_too_early")).toBe(false);
    expect([await end(), await end()]).toEqual([true, false]);
    expect([await again("app_next"), await again("app_next_but_one")]).toEqual([true, false]);
    expect((await store.find(app.name))?.id).toBe("app_next");
    expect(await told(app.id)).toEqual(["app.created", "app.deleted", "app"]);
    expect(await told("app_too_early")).toEqual([]);
  });

  it("[ACC-21] a key comes too late for an app that has ended", async () => {
    const { record } = await makeKey();
    const { app } = record;
    await new AppsStore(env.DB).remove(
      makeRevocation(app.id, "app", app.id, Date.now()),
      entryOf(app.id, "app.deleted"),
    );
    const late = await makeKey({ app });
    expect(await new ApiKeysStore(env.DB).find(late.record.id)).toBeNull();
    const left = env.DB.prepare("SELECT count(*) AS n FROM api_keys WHERE app = ?").bind(app.id);
    expect(await left.first<number>("n")).toBe(0);
  });
});
