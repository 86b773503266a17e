import { beforeAll, expect, it } from "vitest";
import { AppsStore } from "../../src/store/apps-store.ts";
import { SubscriptionsStore } from "../../src/store/subscriptions-store.ts";
import { clearApp } from "../../src/worker/access/end-app.ts";
import { runScheduled } from "../../src/worker/scheduled.ts";
import { makeApp } from "../builders/api-keys.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

beforeAll(migrateDatabase);

it("[ACC-19] the cron goes on behind a step that fails", async () => {
  const sql = `INSERT INTO idempotency_keys (scope, key, fingerprint, state, token, lease_until, expires_at)
    VALUES ('s', 'k', 'f', 'claimed', 't', 0, 1)`;
  await env.DB.prepare(sql).run();
  const broken = new Proxy(env.DB, {
    get: (target, name) => {
      const member = Reflect.get(target, name) as unknown;
      if (typeof member !== "function") return member;
      return (text: string, ...rest: unknown[]) => {
        if (name === "prepare" && /access_changes|FROM topics/.test(text)) throw new Error("D1_ERROR: not now");
        return (member as (...all: unknown[]) => unknown).call(target, text, ...rest);
      };
    },
  });
  await runScheduled({ ...env, DB: broken }, Date.now());
  const left = await env.DB.prepare("SELECT count(*) AS count FROM idempotency_keys").first<{ count: number }>();
  expect(left).toEqual({ count: 0 });
});

it("[ACC-19] a ledger that cannot be reached keeps no other of its app alive", async () => {
  const app = await makeApp();
  const insert = `INSERT INTO subscriptions (app, name, id, revision, definition, created_at, settled)
    VALUES (?1, ?2, ?2, 1, json_object('id', ?2, 'name', ?2, 'app', ?1), 0, 1)`;
  const names = Array.from({ length: 250 }, (_, index) => `${app.id}-${String(index).padStart(3, "0")}`);
  await env.DB.batch(names.map((name) => env.DB.prepare(insert).bind(app.id, name)));
  const unreachable = names[0]!;
  const SUBSCRIPTION = {
    getByName: (name: string) => ({
      remove: () => (name.includes(unreachable) ? Promise.reject(new Error("gone astray")) : Promise.resolve()),
    }),
  } as unknown as typeof env.SUBSCRIPTION;
  await clearApp({ ...env, SUBSCRIPTION }, app.id);
  const left = await new SubscriptionsStore(env.DB).list(app.id, "", 1_000);
  expect(left.map(({ definition }) => definition.id)).toEqual([unreachable]);
  await new AppsStore(env.DB).dropSubscription(app.id, unreachable);
});
