/** Publishes an occurrence of a schedule: as any producer does, at the cost of the app. */
import { fail, ok, type Result } from "../core/result.ts";
import type { Occurrence } from "../durable-objects/rpc/schedules.ts";
import type { Env } from "../env.ts";
import { parseDraft } from "../wire/native/draft.ts";
import { findAppById } from "./app-directory.ts";
import type { Caller } from "./caller.ts";
import { NO_CONDITIONS, publish } from "./publish.ts";

/**
 * Who made the schedule was allowed to publish there; nobody is asked again. An occurrence that stands in the log with
 * another event, because the schedule was changed while nobody knew that it does, is there all the same. Failures: as
 * `publish` has them, and `app_not_found`.
 */
export async function publishOccurrence(env: Env, occurrence: Occurrence): Promise<Result<null>> {
  const { schedule, topic, event, id, at } = occurrence;
  const app = await findAppById(env.DB, occurrence.app);
  if (app === null) return fail("app_not_found");
  const caller: Caller = {
    principal: { kind: "root", app: app.id, appName: app.name, quotas: app.quotas },
    request: crypto.randomUUID(),
    actor: `schedule:${schedule}`,
  };
  const draft = parseDraft(event, { source: `/apps/${app.name}`, traceparent: null });
  if (!draft.ok) return draft;
  const timed = { ...draft.value, id, time: new Date(at).toISOString() };
  const published = await publish(env, caller, topic, [timed], NO_CONDITIONS);
  const outcome = published.ok ? published.value.receipts[0]!.outcome : published;
  return outcome.ok || outcome.failure.code === "event_id_conflict" ? ok(null) : outcome;
}
