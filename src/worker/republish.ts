/** Publishes on behalf of a subscription whose target is a topic: as any producer does, at the cost of the app. */
import { fail, ok, type Result } from "../core/result.ts";
import type { Publication } from "../delivery/publisher.ts";
import type { Env } from "../env.ts";
import { findAppById } from "./app-directory.ts";
import type { Caller } from "./caller.ts";
import { NO_CONDITIONS, publish } from "./publish.ts";

/** Who made the subscription was allowed to publish there; nobody is asked again. Failures: as `publish` has them. */
export async function republish(env: Env, publication: Publication): Promise<Result<null>> {
  const { subscription, topic, draft } = publication;
  const app = await findAppById(env.DB, publication.app);
  if (app === null) return fail("app_not_found");
  const caller: Caller = {
    principal: { kind: "root", app: app.id, appName: app.name, quotas: app.quotas },
    request: crypto.randomUUID(),
    actor: `subscription:${subscription}`,
  };
  const published = await publish(env, caller, topic, [draft], NO_CONDITIONS);
  if (!published.ok) return published;
  const { outcome } = published.value.receipts[0]!;
  return outcome.ok ? ok(null) : outcome;
}
