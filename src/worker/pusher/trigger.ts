/** An event that a Pusher library sends: appended to the topic of each of its channels, for all readers. */
import { allows } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { EventDraft } from "../../core/event.ts";
import { parseDraft } from "../../wire/native/draft.ts";
import { draftOf } from "../../wire/pusher/event-data.ts";
import type { Trigger } from "../../wire/pusher/triggers.ts";
import { callerOf } from "../caller.ts";
import type { HubContext } from "../context.ts";
import { NO_CONDITIONS, publish } from "../publish.ts";

/** All are looked at before the first is appended: what is refused leaves nothing behind. */
export async function trigger(c: HubContext, triggers: readonly Trigger[]): Promise<Result<null>> {
  const sends = triggers.map((one) => planSends(c, one));
  const refused = sends.find((send) => !send.ok);
  if (refused !== undefined) return refused as Result<never>;
  for (const send of sends) {
    // One after the other: a batch may bring several events for one channel, in order.
    const done = send.ok ? await carryOut(c, send.value) : send;
    if (!done.ok) return done;
  }
  return ok(null);
}

interface Sends {
  readonly draft: EventDraft;
  readonly topics: readonly string[];
}

function planSends(c: HubContext, { name, text, channels }: Trigger): Result<Sends> {
  const draft = parseDraft(draftOf(name, text), { source: `/apps/${c.var.principal.appName}`, traceparent: null });
  if (!draft.ok) return draft;
  const isAllowed = channels.every((channel) => allows(c.var.principal, "publish", channel));
  return isAllowed ? ok({ draft: draft.value, topics: channels }) : fail("scope_missing");
}

async function carryOut(c: HubContext, { draft, topics }: Sends): Promise<Result<null>> {
  const answers = await Promise.all(topics.map((topic) => publish(c.env, callerOf(c), topic, [draft], NO_CONDITIONS)));
  const refused = answers.find((answer) => !answer.ok);
  return refused === undefined ? ok(null) : (refused as Result<never>);
}
