/**
 * An event that a Pusher library sends: appended to the topic of each of its channels, for all readers. A user's own
 * channel is no topic: what goes there is sent to the user's connections, and kept nowhere.
 */
import { allows, allowsEverywhere } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { EventDraft } from "../../core/event.ts";
import { parseDraft } from "../../wire/native/draft.ts";
import { draftOf } from "../../wire/pusher/event-data.ts";
import { userOfChannel, type Trigger } from "../../wire/pusher/triggers.ts";
import { callerOf } from "../caller.ts";
import type { HubContext } from "../context.ts";
import { NO_CONDITIONS, publish } from "../publish.ts";
import { sendToUser } from "../user-connections.ts";

/** All are looked at before the first is appended: what is refused leaves nothing behind. */
export async function trigger(c: HubContext, triggers: readonly Trigger[]): Promise<Result<null>> {
  const sends: Sends[] = [];
  for (const one of triggers) {
    const planned = planSends(c, one);
    if (!planned.ok) return planned;
    sends.push(planned.value);
  }
  // One after the other: a batch may bring several events for one channel, in order.
  for (const send of sends) {
    const done = await carryOut(c, send);
    if (!done.ok) return done;
  }
  return ok(null);
}

interface Sends {
  readonly draft: EventDraft;
  /** The draft as text. */
  readonly line: string;
  readonly channels: readonly string[];
}

function planSends(c: HubContext, { name, text, channels, socketId }: Trigger): Result<Sends> {
  const defaults = { source: `/apps/${c.var.principal.appName}`, traceparent: null, exclude: socketId };
  const line = draftOf(name, text);
  const draft = parseDraft(line, defaults);
  if (!draft.ok) return draft;
  const isAllowed = channels.every((channel) => maySend(c, channel));
  return isAllowed ? ok({ draft: draft.value, line, channels }) : fail("scope_missing");
}

/** Users follow whatever they like, so who sends to them must be allowed to publish everywhere. */
const maySend = ({ var: { principal } }: HubContext, channel: string): boolean =>
  userOfChannel(channel) === null ? allows(principal, "publish", channel) : allowsEverywhere(principal, "publish");

async function carryOut(c: HubContext, { draft, line, channels }: Sends): Promise<Result<null>> {
  const answers = await Promise.all(
    channels.map(async (channel): Promise<Result<unknown>> => {
      const user = userOfChannel(channel);
      if (user === null) return publish(c.env, callerOf(c), channel, [draft], NO_CONDITIONS);
      return ok(await sendToUser(c, user, line));
    }),
  );
  const refused = answers.find((answer) => !answer.ok);
  return refused === undefined ? ok(null) : (refused as Result<never>);
}
