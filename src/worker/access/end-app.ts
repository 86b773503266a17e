/**
 * What an app leaves behind. Its row, keys and topics end with the request that deletes it; its ledgers and the last
 * rows are cleared beside that request and by the cron, each as often as need be.
 */
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { AppsStore } from "../../store/apps-store.ts";
import { SubscriptionsStore } from "../../store/subscriptions-store.ts";
import { schedules, subscription } from "../../stubs.ts";

const APPS_PER_RUN = 100;
const LEDGERS_PER_PAGE = 100;
/** A call ends before the platform's bound on what one invocation may ask. */
const LEDGERS_PER_CALL = 400;
const LEDGERS_AT_ONCE = 10;
/** By then every isolate has heard of the end, and no request that had not is under way. */
const LINGER_MS = 600_000;

/** Ends schedules and ledgers, a bounded number a call. What cannot be reached stops no other, and is tried again. */
export async function clearApp(env: Env, app: string): Promise<void> {
  await endSchedules(env, app);
  let after = "";
  for (let cleared = 0; cleared < LEDGERS_PER_CALL; cleared += LEDGERS_PER_PAGE) {
    const page = await new SubscriptionsStore(env.DB).list(app, after, LEDGERS_PER_PAGE);
    const rest = page.map(({ definition }) => definition.id);
    const lane = async (): Promise<void> => {
      for (let id = rest.shift(); id !== undefined; id = rest.shift()) await endLedger(env, app, id);
    };
    await Promise.all(Array.from({ length: LEDGERS_AT_ONCE }, lane));
    if (page.length < LEDGERS_PER_PAGE) return;
    after = page.at(-1)!.definition.name;
  }
}

/** Of those that a request makes meanwhile the first occurrence finds that the app is over. */
async function endSchedules(env: Env, app: string): Promise<void> {
  try {
    await schedules(env, app).end();
  } catch (error) {
    logStage("app.schedules_unsettled", { app, error: String(error) });
  }
}

async function endLedger(env: Env, app: string, id: string): Promise<void> {
  try {
    await subscription(env, app, id).remove();
    await new AppsStore(env.DB).dropSubscription(app, id);
  } catch (error) {
    logStage("app.ledger_unsettled", { app, subscription: id, error: String(error) });
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
