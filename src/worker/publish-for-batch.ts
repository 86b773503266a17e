/** Publishes jobs of a batch, and what it tells of itself: as any producer does, at the cost of the app. */
import type { EventDraft } from "../core/event.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { BatchDraft, BatchPublisher } from "../durable-objects/rpc/batch.ts";
import type { Env } from "../env.ts";
import { parseDraft } from "../wire/native/draft.ts";
import { findAppById } from "./app-directory.ts";
import type { Caller } from "./caller.ts";
import { NO_CONDITIONS, publish } from "./publish.ts";

/**
 * Who made the batch was allowed to publish there; nobody is asked again. Each event once by its source and id.
 * Failures: those of a publish, of which some drafts may be appended then, and `app_not_found`.
 */
export async function publishForBatch(
  env: Env,
  { app: appId, batch, traceparent }: BatchPublisher,
  topic: string,
  given: readonly BatchDraft[],
): Promise<Result<null>> {
  const app = await findAppById(env.DB, appId);
  if (app === null) return fail("app_not_found");
  const caller: Caller = {
    principal: { kind: "root", app: app.id, appName: app.name, quotas: app.quotas },
    request: crypto.randomUUID(),
    actor: `batch:${batch}`,
  };
  const drafts: EventDraft[] = [];
  for (const { text, attributes } of given) {
    const draft = parseDraft(text, { source: "/", traceparent });
    if (!draft.ok) return draft;
    drafts.push({ ...draft.value, attributes: draft.value.attributes + attributes });
  }
  const published = await publish(env, caller, topic, drafts, NO_CONDITIONS);
  if (!published.ok) return published;
  const refused = published.value.receipts.find(({ outcome }) => !outcome.ok)?.outcome;
  return refused === undefined || refused.ok ? ok(null) : refused;
}
