import { beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import { attemptDelivery } from "../../src/delivery/attempt.ts";
import { defineListener, type ListenerCache, type ListenerEffects } from "../../src/delivery/define-listener.ts";
import { registerListeners } from "../../src/delivery/listener-registry.ts";
import { purgeCached, readCached } from "../../src/store/listener-cache-store.ts";
import { env, migrateDatabase } from "../builders/objects.ts";
import { makeDefinition } from "../durable-objects/ledger-world.ts";

type Behave = (cache: ListenerCache, db: D1Database) => ListenerEffects | Promise<ListenerEffects>;

let behave: Behave = () => undefined;

beforeAll(async () => {
  await migrateDatabase();
  registerListeners([defineListener({ name: "caching", handle: (_event, { cache, db }) => behave(cache, db) })]);
});

/** Each is a delivery of its own; the same offset is the same delivery again. */
function attempt(offset: number, how: Behave, app = "app_test", timeoutMs = 5_000): Promise<AttemptOutcome> {
  behave = how;
  const place = { source: 1, topic: "orders", partition: 0, epoch: 1, offset };
  return attemptDelivery(env, {
    definition: makeDefinition({ id: "sub_cache", app, target: { kind: "listener", name: "caching" }, timeoutMs }),
    delivery: { ...place, id: `msg_sub_cache_1_${offset}`, attempt: 1, redrive: false, line: null },
    line: "{}",
  });
}

const valueOf = (key: string, { app = "app_test", inMs = 0 } = {}): Promise<string | null> =>
  readCached(env.DB, app, key, Date.now() + inMs);

const ACCEPTED = { kind: "accepted", status: 200 };

describe("what a listener caches", () => {
  it("[PRJ-1] stands when its delivery is accepted, until its time is over", async () => {
    expect(await attempt(1, (cache) => cache.put("total", { sum: 61.2 }, 60))).toEqual(ACCEPTED);
    expect(await valueOf("total")).toBe(`{"sum":61.2}`);
    expect(await valueOf("total", { inMs: 59_000 })).not.toBeNull();
    expect(await valueOf("total", { inMs: 61_000 })).toBeNull();
    await purgeCached(env.DB, Date.now() + 61_000);
    expect(await env.DB.prepare("SELECT count(*) AS count FROM listener_cache").first("count")).toBe(0);
  });

  it("[PRJ-1] is read by later deliveries, replaced and purged in their order", async () => {
    const seen: unknown[] = [];
    await attempt(2, (cache) => cache.put("count", 1, 60));
    await attempt(3, async (cache) => {
      seen.push(await cache.get("count"), await cache.get("nothing"));
      cache.put("count", 2, 60);
      seen.push(await cache.get("count"));
      cache.put("count", 3, 60);
    });
    expect(seen).toEqual([1, null, 1]);
    expect(await valueOf("count")).toBe("3");
    await attempt(4, (cache) => cache.delete("count"));
    expect(await valueOf("count")).toBeNull();
  });

  it("[PRJ-1] happens once: a delivery that comes again purges nothing that was put since", async () => {
    await attempt(5, (cache) => cache.delete("price"));
    await attempt(6, (cache) => cache.put("price", 7, 60));
    expect(await attempt(5, (cache) => cache.delete("price"))).toEqual(ACCEPTED);
    expect(await valueOf("price")).toBe("7");
  });

  it("[PRJ-1] happens with the statements or not at all", async () => {
    const broken = (db: D1Database): D1PreparedStatement[] => [db.prepare("INSERT INTO nowhere VALUES (1)")];
    const outcome = await attempt(7, (cache, db) => {
      cache.put("half", 1, 60);
      return broken(db);
    });
    expect(outcome).toMatchObject({ kind: "unreachable", reason: "listener_threw" });
    expect(await valueOf("half")).toBeNull();
    const late = await attempt(
      8,
      async (cache) => {
        cache.put("late", 1, 60);
        await scheduler.wait(200);
      },
      "app_test",
      20,
    );
    expect(late).toMatchObject({ reason: "timeout" });
    expect(await valueOf("late")).toBeNull();
  });

  it("[PRJ-1] belongs to its app", async () => {
    await attempt(9, (cache) => cache.put("mine", 1, 60));
    await attempt(10, (cache) => cache.put("mine", 2, 60), "app_other");
    expect([await valueOf("mine"), await valueOf("mine", { app: "app_other" })]).toEqual(["1", "2"]);
  });

  it.each<[string, Behave]>([
    ["without a key", (cache) => cache.put("", 1, 60)],
    ["under an endless key", (cache) => cache.delete("x".repeat(LIMITS.CACHED_KEY_BYTES_MAX + 1))],
    ["that JSON cannot say", (cache) => cache.put("a", undefined, 60)],
    ["that is too large", (cache) => cache.put("a", "x".repeat(LIMITS.CACHED_VALUE_BYTES_MAX), 60)],
    ["for no time", (cache) => cache.put("a", 1, 0)],
    ["for ever", (cache) => cache.put("a", 1, Infinity)],
  ])("[PRJ-1] fails the attempt %s", async (_how, how) => {
    expect(await attempt(11, how)).toMatchObject({ kind: "unreachable", reason: "listener_threw" });
    expect(await valueOf("a")).toBeNull();
  });
});
