import { beforeAll, expect, it } from "vitest";
import { SubscriptionsStore } from "../../src/store/subscriptions-store.ts";
import { findSyncSubscriptions, forgetSyncSubscriptions } from "../../src/worker/sync-directory.ts";
import { entryOf, makeApp, WatchedDatabase } from "../builders/api-keys.ts";
import { env, migrateDatabase } from "../builders/objects.ts";
import { makeDefinition } from "../durable-objects/ledger-world.ts";

beforeAll(migrateDatabase);

it("[SYN-9] a publish asks D1 for who waits at most twice a minute and isolate, and never where it fails", async () => {
  const app = (await makeApp()).id;
  const watched = new WatchedDatabase();
  const watching = { ...env, DB: watched.database };
  const look = async (topic: string) => (await findSyncSubscriptions(watching, app, topic)).map(({ name }) => name);
  for (let publish = 0; publish < 20; publish += 1) expect(await look(`topic-${publish}`)).toEqual([]);
  expect(watched.count(/subscriptions/)).toBe(1);

  const store = new SubscriptionsStore(env.DB);
  for (const [name, mode] of [
    ["waited", "sync"],
    ["other", undefined],
  ] as const) {
    const definition = makeDefinition({ id: `sub_${name}`, app, name, topics: ["order.*"], ...(mode && { mode }) });
    await store.insert(definition, Date.now(), 100, entryOf(app, "subscription.created"));
  }
  forgetSyncSubscriptions(app);
  expect([await look("order.made"), await look("order"), await look("order.made")]).toEqual([
    ["waited"],
    [],
    ["waited"],
  ]);
  expect(watched.count(/subscriptions/)).toBe(2);

  forgetSyncSubscriptions(app);
  const broken = { ...env, DB: null as unknown as D1Database };
  expect(await findSyncSubscriptions(broken, app, "order.made")).toEqual([]);
});
