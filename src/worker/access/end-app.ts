/**
 * What an app leaves behind. Its row, keys and topics end with the request that deletes it; its ledgers and the last
 * rows are cleared beside that request and by the cron, each as often as need be.
 */
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { AppsStore } from "../../store/apps-store.ts";
import { SubscriptionsStore } from "../../store/subscriptions-store.ts";
import { subscription } from "../../stubs.ts";

const APPS_PER_RUN = 20;
const LEDGERS_PER_RUN = 50;
/** By then every isolate has heard of the end, and no request that had not is under way. */
const LINGER_MS = 600_000;

/** Removes ledgers, a bounded number a call. */
export async function clearApp(env: Env, app: string): Promise<void> {
  const store = new AppsStore(env.DB);
  for (const { definition } of await new SubscriptionsStore(env.DB).list(app, "", LEDGERS_PER_RUN)) {
    await subscription(env, app, definition.id).remove();
    await store.dropSubscription(app, definition.id);
  }
}

/** The cron's part. Logs of ended topics are settled like those of any other. */
export async function settleDeletedApps(env: Env, now: number): Promise<void> {
  const store = new AppsStore(env.DB);
  for (const app of await store.deleted(APPS_PER_RUN)) {
    try {
      await store.removeAgain(app, now);
      await clearApp(env, app);
      await store.drop(app, now - LINGER_MS);
    } catch (error) {
      logStage("cron.app_unsettled", { app, error: String(error) });
    }
  }
}
