/** Appends what the hub itself has to tell to one of its own topics, which users read and never write. */
import type { EventDraft } from "../core/event.ts";
import { assert } from "../core/assert.ts";
import { isSystemTopicName } from "../core/names.ts";
import { ok, type Result } from "../core/result.ts";
import type { Announcement } from "../core/system-event.ts";
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import { parseDraft } from "../wire/native/draft.ts";
import { findAppById } from "./app-directory.ts";
import type { Caller } from "./caller.ts";
import { NO_CONDITIONS, publish } from "./publish.ts";
import { ensureSystemTopic } from "./topic-directory.ts";

/**
 * Appends in order, each event once by its source and id. Costs the app nothing, so that no quota hides what happened.
 * An app that has ended is told nothing.
 */
export async function announceSystem(
  env: Env,
  appId: string,
  name: string,
  announcements: readonly Announcement[],
): Promise<Result<null>> {
  assert(isSystemTopicName(name), "only the hub's own topics are announced to");
  const app = await findAppById(env.DB, appId);
  if (app === null) return ok(null);
  const caller: Caller = {
    principal: { kind: "root", app: app.id, appName: app.name, quotas: { topics: Number.MAX_SAFE_INTEGER } },
    request: crypto.randomUUID(),
    actor: "hub",
  };
  const topic = await ensureSystemTopic(env, caller, name);
  if (!topic.ok) return topic;
  const drafts = announcements.flatMap(draftOf);
  if (drafts.length === 0) return ok(null);
  const published = await publish(env, caller, name, drafts, NO_CONDITIONS);
  if (!published.ok) return published;
  const refused = published.value.receipts.find(({ outcome }) => !outcome.ok)?.outcome;
  return refused === undefined || refused.ok ? ok(null) : refused;
}

/** An event that is too deep or too large inside another is left out; what is no draft even so would come for ever. */
function draftOf({ full, bare }: Announcement): EventDraft[] {
  for (const text of [full, bare]) {
    const draft = parseDraft(text, { source: "/", traceparent: null });
    if (draft.ok) return [draft.value];
  }
  logStage("system.announcement_dropped", { chars: bare.length });
  return [];
}
