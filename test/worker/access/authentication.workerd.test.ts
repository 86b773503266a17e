/** What authentication asks of D1, and how soon one isolate hears what another has changed. Time is the test's own. */
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { readConfig } from "../../../src/config.ts";
import { LIMITS } from "../../../src/core/limits.ts";
import { makeRevocation } from "../../../src/core/revocation.ts";
import type { Env } from "../../../src/env.ts";
import { AccessChangesStore } from "../../../src/store/access-changes-store.ts";
import { ApiKeysStore } from "../../../src/store/api-keys-store.ts";
import { AppsStore } from "../../../src/store/apps-store.ts";
import { mintKeyId, mintSecret } from "../../../src/worker/access/api-key.ts";
import { passesShield } from "../../../src/worker/access/shield.ts";
import { entryOf, makeApp, makeKey, WatchedDatabase, type MadeKey } from "../../builders/api-keys.ts";
import { env, migrateDatabase } from "../../builders/objects.ts";

const KEYS = /FROM api_keys/;
const CHANGES = /FROM access_changes/;
const USES = /last_used_at = max/;

beforeAll(migrateDatabase);
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"] });
});
afterEach(() => {
  vi.useRealTimers();
});

const pass = (ms: number): void => void vi.setSystemTime(Date.now() + ms);

/** An isolate of its own: the modules are loaded anew, and with them everything that they remember. */
async function startIsolate(more: Partial<Env> = {}) {
  vi.resetModules();
  const { authenticateCredential } = await import("../../../src/worker/access/authenticate-credential.ts");
  const { app } = await import("../../../src/worker/app.ts");
  const watched = new WatchedDatabase();
  const isolateEnv: Env = { ...env, ...more, DB: watched.database };
  const background: Promise<unknown>[] = [];
  const ctx = { waitUntil: (work: Promise<unknown>) => void background.push(work) };
  const config = readConfig({ ROOT_KEY: "test-root-key", DNS_OVER_HTTPS_URL: "" });
  const show = async (credential: string, appName: string | null = null): Promise<string> => {
    const shown = { credential, appName, client: "test" };
    const who = await authenticateCredential(isolateEnv, ctx, config, shown);
    return who.ok ? who.value.app.name : who.failure.code;
  };
  const settle = async (): Promise<void> => void (await Promise.all(background.splice(0)));
  const fetch = (path: string, init: RequestInit): Promise<Response> =>
    Promise.resolve(app.request(path, init, isolateEnv, { ...ctx, passThroughOnException: () => {}, props: {} }));
  return { watched, show, settle, fetch };
}

/** Rotated by somebody else, with no overlap. */
async function rotate({ record }: MadeKey): Promise<string> {
  const { key, secretHash } = mintSecret(record.id);
  const rotated = { ...record, secretHash, previousHash: record.secretHash, previousUntil: Date.now() };
  await new ApiKeysStore(env.DB).rotate(record, rotated, [], entryOf(record.app.id, "key.rotated"));
  return key;
}

async function revoke({ record }: MadeKey): Promise<void> {
  const revocation = makeRevocation(record.app.id, "key", record.id, Date.now());
  await new ApiKeysStore(env.DB).revoke(revocation, entryOf(record.app.id, "key.revoked"));
}

describe("a warm isolate", () => {
  it("[ACC-11] lets a hundred publishes in without a question to D1", async () => {
    const key = await makeKey({}, ["publish:**"]);
    const { watched, fetch, settle } = await startIsolate();
    const publish = (): Promise<Response> =>
      fetch("/v1/topics/warm/events", {
        method: "POST",
        headers: { authorization: `Bearer ${key.text}`, "content-type": "application/json" },
        body: '{"type":"t"}',
      });
    expect((await publish()).status).toBe(201);
    await settle();
    watched.asked.length = 0;
    for (let round = 0; round < 100; round += 1) expect((await publish()).status).toBe(201);
    expect(watched.asked).toEqual([]);
  });

  it("[ACC-11] asks for changes once a second, beside its requests", async () => {
    const { text, record } = await makeKey();
    const { watched, show, settle } = await startIsolate();
    await show(text);
    await settle();
    watched.asked.length = 0;
    for (let tenth = 0; tenth < 200; tenth += 1) {
      pass(100);
      expect(await show(text)).toBe(record.app.name);
      await settle();
    }
    expect(watched.count(CHANGES)).toBe(20);
    expect(watched.asked).toHaveLength(20);
  });

  it("[ACC-11] waits for that answer only when it has heard nothing for five seconds", async () => {
    const { text, record } = await makeKey();
    const { watched, show } = await startIsolate();
    await show(text);
    let release = (): void => {};
    watched.hold = { sql: CHANGES, until: new Promise((resolve) => (release = resolve)) };
    pass(LIMITS.ACCESS_STALE_MS_MAX - 1);
    expect(await show(text)).toBe(record.app.name);
    pass(1);
    let isAnswered = false;
    const answer = show(text).then((name) => {
      isAnswered = true;
      return name;
    });
    await env.DB.prepare("SELECT 1").run(); // Time enough for an answer that waits for nobody.
    expect(isAnswered).toBe(false);
    release();
    expect(await answer).toBe(record.app.name);
  });

  it("[ACC-27] goes on for half a minute without D1, and then says that it cannot", async () => {
    const key = await makeKey({}, ["history:**"]);
    const { watched, fetch, settle } = await startIsolate();
    const read = (): Promise<Response> =>
      fetch("/v1/topics/nowhere/events", { headers: { authorization: `Bearer ${key.text}` } });
    expect((await read()).status).toBe(404);
    await settle();
    const outage = Promise.reject(new Error("D1_ERROR: Network connection lost."));
    outage.catch(() => undefined);
    watched.hold = { sql: CHANGES, until: outage };
    pass(LIMITS.CONFIG_CACHE_MS - 1);
    expect((await read()).status).toBe(404);
    pass(1);
    const refused = await read();
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([503, "1"]);
  });

  it("[ACC-12] remembers ids that are not there", async () => {
    const { watched, show } = await startIsolate();
    const { key } = mintSecret(mintKeyId());
    for (let round = 0; round < 50; round += 1) expect(await show(key)).toBe("unauthenticated");
    expect(watched.count(KEYS)).toBe(1);
    pass(LIMITS.CONFIG_CACHE_MS);
    expect(await show(key)).toBe("unauthenticated");
    expect(watched.count(KEYS)).toBe(2);
  });

  it("[ACC-12] asks again once a second for a secret that does not fit", async () => {
    const { text, record } = await makeKey();
    const { watched, show } = await startIsolate();
    await show(text);
    const wrong = mintSecret(record.id).key;
    for (let second = 0; second < 3; second += 1) {
      for (let round = 0; round < 50; round += 1) expect(await show(wrong)).toBe("unauthenticated");
      expect(watched.count(KEYS)).toBe(2 + second);
      pass(1_000);
    }
    expect(await show(text)).toBe(record.app.name);
  });

  it("[ACC-22] notes a key's use once a minute", async () => {
    const { text, record } = await makeKey();
    const { watched, show, settle } = await startIsolate();
    const usedAt = async (): Promise<number | null> => {
      await settle();
      return (await new ApiKeysStore(env.DB).find(record.id))!.lastUsedAt;
    };
    expect(await usedAt()).toBeNull();
    const begun = Date.now();
    for (let round = 0; round < 10; round += 1) await show(text);
    expect(await usedAt()).toBe(begun);
    pass(59_999);
    await show(text);
    expect(await usedAt()).toBe(begun);
    pass(1);
    await show(text);
    expect(await usedAt()).toBe(begun + 60_000);
    expect(watched.count(USES)).toBe(2);
  });
});

describe("the shield", () => {
  const shut = { limit: () => Promise.resolve({ success: false }) };

  it("[ACC-13] stops who shows ever new keys before D1 is asked, and nobody who is known", async () => {
    const known = await makeKey();
    const switched = { limit: () => Promise.resolve({ success: isOpen }) };
    let isOpen = true;
    const { watched, show } = await startIsolate({ SHIELD: switched });
    expect(await show(known.text)).toBe(known.record.app.name);
    isOpen = false;
    const asked = watched.count(KEYS);
    for (let round = 0; round < 10; round += 1) {
      expect(await show(mintSecret(mintKeyId()).key)).toBe("too_many_failures");
      expect(await show(known.text)).toBe(known.record.app.name);
    }
    expect(await show("test-root-key")).toBe("default");
    expect(watched.count(KEYS)).toBe(asked);
  });

  it("[ACC-13] does not see what is no key at all", async () => {
    const { watched, show } = await startIsolate({ SHIELD: shut });
    const mistyped = mintSecret(mintKeyId()).key.replace(/.$/, (last) => (last === "0" ? "1" : "0"));
    expect(await show(mistyped)).toBe("unauthenticated");
    expect(await show("anything")).toBe("unauthenticated");
    expect(watched.asked).toEqual([]);
  });

  it("[ACC-13] is the platform's own counter, which is bound", async () => {
    expect(env.SHIELD).toBeDefined();
    expect(await passesShield(env, "somebody")).toBe(true);
    expect(await passesShield({}, "somebody")).toBe(true);
  });
});

describe("the shield's counter", () => {
  it("[ACC-31] is one for all addresses of an IPv6 network", async () => {
    const counted: string[] = [];
    const limit = async ({ key }: { key: string }) => ({ success: counted.push(key) > 0 });
    for (const client of ["2001:db8::1", "2001:db8::2", "192.0.2.1"]) await passesShield({ SHIELD: { limit } }, client);
    expect(new Set(counted).size).toBe(2);
  });
});

describe("what another isolate has changed", () => {
  it("[ACC-10] is heard by a busy one within a second and a request", async () => {
    const key = await makeKey();
    const { show, settle } = await startIsolate();
    await show(key.text);
    await revoke(key);
    pass(LIMITS.ACCESS_REFRESH_MS);
    await show(key.text); // It asks beside this one.
    await settle();
    expect(await show(key.text)).toBe("unauthenticated");
  });

  it("[ACC-10] is heard by an idle one before it answers", async () => {
    const [revoked, rotated] = [await makeKey(), await makeKey()];
    const { show } = await startIsolate();
    for (const { text } of [revoked, rotated]) await show(text);
    await revoke(revoked);
    const fresh = await rotate(rotated);
    pass(LIMITS.ACCESS_STALE_MS_MAX);
    expect(await show(revoked.text)).toBe("unauthenticated");
    expect(await show(rotated.text)).toBe("unauthenticated");
    expect(await show(fresh)).toBe(rotated.record.app.name);
  });

  it("[ACC-10] is known to one that has just begun", async () => {
    const key = await makeKey();
    await revoke(key);
    const { show } = await startIsolate();
    expect(await show(key.text)).toBe("unauthenticated");
  });

  it("[ACC-7] makes no owner wait for the new secret", async () => {
    const key = await makeKey();
    const { show } = await startIsolate();
    await show(key.text);
    expect(await show(await rotate(key))).toBe(key.record.app.name);
  });

  it("[ACC-10] is not undone by a look-up that began before", async () => {
    const key = await makeKey();
    const { watched, show } = await startIsolate();
    await show("test-root-key");
    let release = (): void => {};
    watched.hold = { sql: KEYS, until: new Promise((resolve) => (release = resolve)) };
    // The answer of the first look-up is what stood there before, as if it had been long on its way.
    const stale = new ApiKeysStore(env.DB).find(key.record.id);
    const { findKey, forgetKey } = await import("../../../src/worker/access/key-directory.ts");
    const slow = findKey({ env: { ...env, DB: watched.database } }, key.record.id);
    expect((await stale)?.secretHash).toBe(key.record.secretHash);
    forgetKey(key.record.id);
    watched.hold = null;
    release();
    await slow;
    const asked = watched.count(KEYS);
    await show(key.text);
    expect(watched.count(KEYS)).toBe(asked + 1);
  });

  it("[ACC-42] of one key does not keep the look-up of another from being remembered", async () => {
    const key = await makeKey();
    const { watched, show } = await startIsolate();
    await show("test-root-key");
    let release = (): void => {};
    watched.hold = { sql: KEYS, until: new Promise((resolve) => (release = resolve)) };
    const { findKey, forgetKey, forgetKeysOf } = await import("../../../src/worker/access/key-directory.ts");
    const slow = findKey({ env: { ...env, DB: watched.database } }, key.record.id);
    forgetKey("of-a-neighbour");
    forgetKeysOf("app_of_a_neighbour");
    watched.hold = null;
    release();
    await slow;
    const asked = watched.count(KEYS);
    await show(key.text);
    expect(watched.count(KEYS)).toBe(asked);
  });

  it("[ACC-42] of an app does keep a look-up of its keys from being remembered", async () => {
    const key = await makeKey();
    const { watched, show } = await startIsolate();
    await show("test-root-key");
    let release = (): void => {};
    watched.hold = { sql: KEYS, until: new Promise((resolve) => (release = resolve)) };
    const { findKey, forgetKeysOf } = await import("../../../src/worker/access/key-directory.ts");
    const slow = findKey({ env: { ...env, DB: watched.database } }, key.record.id);
    forgetKeysOf(key.record.app.id);
    watched.hold = null;
    release();
    await slow;
    const asked = watched.count(KEYS);
    await show(key.text);
    expect(watched.count(KEYS)).toBe(asked + 1);
  });

  it("[ACC-18] ends the keys of an app that is gone, and the root key's way into it", async () => {
    const key = await makeKey();
    const { id, name } = key.record.app;
    const { show } = await startIsolate();
    expect(await show(key.text)).toBe(name);
    expect(await show("test-root-key", name)).toBe(name);
    await new AppsStore(env.DB).remove(makeRevocation(id, "app", id, Date.now()), entryOf(id, "app.deleted"));
    pass(LIMITS.ACCESS_STALE_MS_MAX);
    expect(await show(key.text)).toBe("unauthenticated");
    expect(await show("test-root-key", name)).toBe("app_not_found");
  });

  it("[ACC-18] ends what is remembered of the topics of an app that is gone, and of no other's", async () => {
    const key = await makeKey();
    const { id } = key.record.app;
    const { show } = await startIsolate();
    await show(key.text);
    const { findTopic, remember } = await import("../../../src/worker/topic-directory.ts");
    const life = { epoch: 1, revision: 1, createdAt: 0, deletedAt: null, settled: true };
    const definition = { partitions: 1, index: "none", retention: {}, schemaPolicy: "off", description: null } as const;
    for (const app of [id, "app_neighbour"]) remember({ app, name: "kept", ...life, ...definition });
    const isKnown = async (app: string): Promise<boolean> => (await findTopic(env, app, "kept")).ok;
    expect([await isKnown(id), await isKnown("app_neighbour")]).toEqual([true, true]);
    await new AppsStore(env.DB).remove(makeRevocation(id, "app", id, Date.now()), entryOf(id, "app.deleted"));
    pass(LIMITS.ACCESS_STALE_MS_MAX);
    await show(key.text);
    expect([await isKnown(id), await isKnown("app_neighbour")]).toEqual([false, true]);
  });

  it("[ACC-10] reaches the quotas and origins that keys carry", async () => {
    const app = await makeApp();
    const key = await makeKey({ app });
    const { show } = await startIsolate();
    await show(key.text);
    const changed = { ...app, quotas: { topics: 3 } };
    await new AppsStore(env.DB).replace(app, changed, entryOf(app.id, "app.changed"));
    pass(LIMITS.ACCESS_STALE_MS_MAX);
    await show(key.text);
    const { findKey } = await import("../../../src/worker/access/key-directory.ts");
    expect((await findKey({ env }, key.record.id))?.app.quotas).toEqual({ topics: 3 });
  });

  it("[ACC-41] is one for each subject, and no more than the app may have", async () => {
    const store = new AccessChangesStore(env.DB);
    const { id } = await makeApp();
    const revoke = (subject: string, at: number): Promise<boolean> =>
      store.revoke(makeRevocation(id, "user", subject, at), entryOf(id, "credential.revoked"), 2);
    const now = Date.now();
    expect([await revoke("a", now), await revoke("a", now + 1), await revoke("b", now + 2)]).toEqual([
      true,
      true,
      true,
    ]);
    const { total, audited } = (await env.DB.prepare(
      `SELECT (SELECT count(*) FROM access_changes WHERE app = ?1) AS total,
         (SELECT count(*) FROM audit WHERE app = ?1 AND action = 'credential.revoked') AS audited`,
    )
      .bind(id)
      .first<{ total: number; audited: number }>())!;
    expect([total, audited]).toEqual([2, 3]);
    expect([await revoke("c", now + 3), await revoke("a", now + 4)]).toEqual([false, true]);
    const later = makeRevocation(id, "user", "a", now).expiresAt + 10_000;
    expect(await revoke("c", later)).toBe(true);
  });

  it("[ACC-26] is forgotten when nothing that it could refuse is good any more", async () => {
    const store = new AccessChangesStore(env.DB);
    const revocation = makeRevocation("app_default", "user", "someone", Date.now());
    await store.revoke(revocation, entryOf("app_default", "credential.revoked"));
    const rows = async (): Promise<number> =>
      (await env.DB.prepare("SELECT count(*) AS rows FROM access_changes WHERE subject = 'someone'").first("rows"))!;
    await store.purge(revocation.expiresAt - 1);
    expect(await rows()).toBe(1);
    await store.purge(revocation.expiresAt);
    expect(await rows()).toBe(0);
  });
});
