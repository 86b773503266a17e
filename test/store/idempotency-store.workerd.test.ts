import { beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { IdempotencyStore } from "../../src/store/idempotency-store.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

let store: IdempotencyStore;

beforeAll(async () => {
  await migrateDatabase();
  store = new IdempotencyStore(env.DB);
});

const NOW = Date.UTC(2026, 10, 20);
const claim = (key: string, token: string, now = NOW, fingerprint = "f") =>
  store.claim("scope", key, fingerprint, token, now);

describe("IdempotencyStore", () => {
  it("[IDM-8] gives a key to exactly one of twenty who claim it at once", async () => {
    const records = await Promise.all(Array.from({ length: 20 }, (_, index) => claim("contested", `t${index}`)));
    expect(new Set(records.map(({ token }) => token)).size).toBe(1);
    expect(records.every(({ state }) => state === "claimed")).toBe(true);
  });

  it("[IDM-8] gives it to another only when the lease has lapsed, and to the same body only", async () => {
    await claim("leased", "first");
    expect((await claim("leased", "second", NOW + LIMITS.IDEMPOTENCY_LEASE_MS - 1)).token).toBe("first");
    expect(await claim("leased", "third", NOW + LIMITS.IDEMPOTENCY_LEASE_MS, "other")).toMatchObject({
      token: "first",
      fingerprint: "f",
    });
    expect((await claim("leased", "fourth", NOW + LIMITS.IDEMPOTENCY_LEASE_MS)).token).toBe("fourth");
  });

  it("[IDM-8] lets nobody finish or release a claim that was taken over", async () => {
    await claim("fenced", "first");
    await claim("fenced", "second", NOW + LIMITS.IDEMPOTENCY_LEASE_MS);
    await store.complete("scope", "fenced", "first", 200, "of the first");
    await store.release("scope", "fenced", "first");
    expect(await claim("fenced", "looker", NOW + LIMITS.IDEMPOTENCY_LEASE_MS)).toMatchObject({
      token: "second",
      state: "claimed",
    });
    await store.complete("scope", "fenced", "second", 201, "of the second");
    const later = NOW + 2 * LIMITS.IDEMPOTENCY_LEASE_MS;
    expect(await claim("fenced", "looker", later)).toMatchObject({
      state: "done",
      status: 201,
      response: "of the second",
    });
  });

  it("[IDM-8] guards a key for the body that came first: nobody takes it over, and only who took it gives it up", async () => {
    const guard = (token: string, now = NOW, fingerprint = "f") =>
      store.guard("scope", "guarded", fingerprint, token, now);
    expect(await guard("first")).toMatchObject({ token: "first", state: "done", response: null });
    const later = NOW + 2 * LIMITS.IDEMPOTENCY_LEASE_MS;
    expect(await guard("second", later, "other")).toMatchObject({ token: "first", fingerprint: "f" });
    await store.release("scope", "guarded", "second");
    expect(await guard("third", later)).toMatchObject({ token: "first" });
    await store.release("scope", "guarded", "first");
    expect(await guard("fourth", later, "other")).toMatchObject({ token: "fourth", fingerprint: "other" });
  });

  it("[IDM-10] begins anew when the key's time is over, even before the purge", async () => {
    await claim("expired", "first");
    await store.complete("scope", "expired", "first", 200, "old");
    const later = NOW + LIMITS.IDEMPOTENCY_KEEP_MS;
    expect(await claim("expired", "second", later, "other")).toMatchObject({
      token: "second",
      state: "claimed",
      response: null,
    });
  });

  it("[IDM-10] forgets what is expired and keeps the rest", async () => {
    await claim("forgotten", "a", NOW - LIMITS.IDEMPOTENCY_KEEP_MS);
    await claim("kept", "a", NOW - LIMITS.IDEMPOTENCY_KEEP_MS + 1);
    expect(await store.purge(NOW)).toBe(1);
    expect(await claim("kept", "b")).toMatchObject({ token: "b" });
    expect((await claim("forgotten", "b")).token).toBe("b");
  });
});
