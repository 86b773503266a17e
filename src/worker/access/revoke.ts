/**
 * What happens beside the row of a revocation. This isolate knows at once, the hubs close their sockets before the
 * request is answered, other isolates hear of it (access-changes.ts). The cron tells the hubs what a crash left untold.
 */
import type { Revocation } from "../../core/revocation.ts";
import type { Env } from "../../env.ts";
import { logStage } from "../../observability/log.ts";
import { AccessChangesStore } from "../../store/access-changes-store.ts";
import { everyHub } from "../hub-directory.ts";
import { learn } from "./access-changes.ts";

const TELL_AFTER_MS = 10_000; // A request that is still under way tells the hubs itself.
const TELL_ROWS_PER_RUN = 100;

/** To be called when the row stands. */
export async function enforce(env: Env, revocation: Revocation): Promise<void> {
  learn(revocation);
  await tellHubs(env, revocation);
}

/** For an answer that nobody can ask for again: hubs that do not hear it now are told by the cron. */
export async function enforceSoon(env: Env, revocation: Revocation): Promise<void> {
  try {
    await enforce(env, revocation);
  } catch (error) {
    logStage("access.revocation_untold", { app: revocation.app, error: String(error) });
  }
}

/** The cron's part: a bounded number of rows a run. */
export async function settleRevocations(env: Env, now: number): Promise<void> {
  for (const revocation of await new AccessChangesStore(env.DB).unsettled(now - TELL_AFTER_MS, TELL_ROWS_PER_RUN)) {
    try {
      await tellHubs(env, revocation);
    } catch (error) {
      logStage("cron.revocation_untold", { app: revocation.app, error: String(error) });
    }
  }
}

/** A hub that is made after this look asks for itself, before its first socket (channel-hub/admission.ts). */
async function tellHubs(env: Env, revocation: Revocation): Promise<void> {
  const hubs = await everyHub(env, revocation.app);
  await Promise.all(hubs.map((hub) => hub.revoke(revocation)));
  await new AccessChangesStore(env.DB).markSettled(revocation);
}
