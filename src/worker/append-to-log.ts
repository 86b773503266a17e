/** One partition's part of a publish: what its log is asked, and asked once more where that cannot append twice. */
import { hash } from "node:crypto";
import { parseAppended, type Appended } from "../core/appended.ts";
import { formatDrafts } from "../core/draft-text.ts";
import type { EventDraft } from "../core/event.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { AppendRequest } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import { count } from "../observability/meter.ts";
import { topicLog } from "../stubs.ts";
import type { TopicRecord } from "../store/topics-store.ts";

export interface AppendAsk extends Omit<AppendRequest, "drafts"> {
  readonly drafts: readonly EventDraft[];
}

export interface LogAppended {
  /** In the order of the drafts. */
  readonly events: readonly Appended[];
  /** An earlier request with the same key had been appended. */
  readonly replayed: boolean;
}

/**
 * A rejected call may or may not have appended. It is made again only where the log can tell: every draft has a
 * client's id, or the request has a key. Else the producer is told that the effect is unknown.
 */
export async function appendToLog(
  env: Env,
  topic: Pick<TopicRecord, "app" | "name">,
  partition: number,
  ask: AppendAsk,
): Promise<Result<LogAppended>> {
  const request: AppendRequest = { ...ask, drafts: formatDrafts(ask.drafts) };
  for (let tries = isRepeatable(ask) ? 2 : 1; tries > 0; tries -= 1) {
    try {
      // A new stub for each try: one is broken after an exception.
      const answer = await topicLog(env, topic.app, topic.name, partition).append(request);
      if (!answer.ok) return answer;
      const { events, replayed } = answer.value;
      return ok({ events: parseAppended(events), replayed });
    } catch (error) {
      count("tidings_errors_total", { source: "object" });
      if ((error as { overloaded?: boolean }).overloaded === true) break;
    }
  }
  return fail("hub_overloaded", undefined, { retryAfterSeconds: 1 });
}

/** Drafts without a client's id have no fingerprint. */
export const isRepeatable = ({ fingerprints, request }: Pick<AppendRequest, "fingerprints" | "request">): boolean =>
  request !== null || !fingerprints.includes(null);

/** What makes two events with one identity the same event; not the time or the trace, which a repeat sets anew. */
export function fingerprintOfDraft(draft: EventDraft): string | null {
  if (draft.id === null) return null;
  const { subject = null, dataschema = null } = ofContent(draft.attributes);
  const content = JSON.stringify([draft.type, draft.key, subject, dataschema, draft.data]);
  return hash("sha256", content, "base64url").slice(0, 22);
}

/** Most events have neither, and are not parsed for it. A quote inside a value has a backslash before it. */
function ofContent(attributes: string): { readonly subject?: string; readonly dataschema?: string } {
  if (!attributes.includes(`,"subject":`) && !attributes.includes(`,"dataschema":`)) return {};
  return JSON.parse(`{${attributes.slice(1)}}`) as { subject?: string; dataschema?: string };
}
