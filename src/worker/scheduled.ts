/** Once a minute: forgets what has expired in D1 and finishes what crashes left half done. */
import type { Env } from "../env.ts";
import { AccessChangesStore } from "../store/access-changes-store.ts";
import { AuditStore } from "../store/audit-store.ts";
import { IdempotencyStore } from "../store/idempotency-store.ts";
import { purgeEffects } from "../store/effects-store.ts";
import { purgeCached } from "../store/listener-cache-store.ts";
import { settleDeletedApps } from "./access/end-app.ts";
import { settleRevocations } from "./access/revoke.ts";
import { settleLeftovers } from "./attach.ts";

export async function runScheduled(env: Env, now: number): Promise<void> {
  const purged = await new IdempotencyStore(env.DB).purge(now);
  if (purged > 0) console.log(JSON.stringify({ stage: "idempotency.purged", rows: purged }));
  await purgeEffects(env.DB, now);
  await purgeCached(env.DB, now);
  await new AuditStore(env.DB).purge(now);
  await new AccessChangesStore(env.DB).purge(now);
  await settleRevocations(env, now);
  await settleLeftovers(env, now);
  await settleDeletedApps(env, now);
}
