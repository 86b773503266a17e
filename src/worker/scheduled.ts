/** Once a minute: forgets what has expired in D1 and finishes what crashes left half done. */
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import { AccessChangesStore } from "../store/access-changes-store.ts";
import { AuditStore } from "../store/audit-store.ts";
import { BatchesStore } from "../store/batches-store.ts";
import { IdempotencyStore } from "../store/idempotency-store.ts";
import { purgeEffects } from "../store/effects-store.ts";
import { purgeCached } from "../store/listener-cache-store.ts";
import { SightingsStore } from "../store/sightings-store.ts";
import { settleDeletedApps } from "./access/end-app.ts";
import { settleRevocations } from "./access/revoke.ts";
import { settleLeftovers } from "./attach.ts";

/** What must not wait stands first; one step that fails stops no other. */
const STEPS: Readonly<Record<string, (env: Env, now: number) => Promise<unknown>>> = {
  settleRevocations,
  settleLeftovers,
  settleDeletedApps,
  purgeIdempotencyKeys: ({ DB }, now) => new IdempotencyStore(DB).purge(now),
  purgeEffects: ({ DB }, now) => purgeEffects(DB, now),
  purgeCached: ({ DB }, now) => purgeCached(DB, now),
  purgeAudit: ({ DB }, now) => new AuditStore(DB).purge(now),
  purgeBatches: ({ DB }, now) => new BatchesStore(DB).purge(now),
  purgeSightings: ({ DB }, now) => new SightingsStore(DB).purge(now),
  purgeAccessChanges: ({ DB }, now) => new AccessChangesStore(DB).purge(now),
};

export async function runScheduled(env: Env, now: number): Promise<void> {
  for (const [step, run] of Object.entries(STEPS)) {
    try {
      await run(env, now);
    } catch (error) {
      logStage("cron.step_failed", { step, error: String(error) });
    }
  }
}
