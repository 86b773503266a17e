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
import { checkDrafts } from "../check-drafts.ts";
import type { HubContext } from "../context.ts";
import { NO_CONDITIONS, publishPaid } from "../publish.ts";
import { draftDefaults } from "../publish-request.ts";
import { spendOnEvents } from "../quotas.ts";
import { noteRejection } from "../schema-rejections.ts";
import { recordPublish } from "../request-trace.ts";
import { ensureTopic, findTopic } from "../topic-directory.ts";
import { sendToUser } from "../user-connections.ts";

/**
 * All are looked at before the first is appended, because a library knows no half: what is refused leaves no event
 * behind, so none is doubled when it is sent again. Only what could not be reached in the middle may: the request has
 * nothing to make ids of, for two that say the same within a second are alike to the letter, and both are meant.
 */
export async function trigger(c: HubContext, triggers: readonly Trigger[]): Promise<Result<null>> {
  const sends: Sends[] = [];
  for (const one of triggers) {
    const planned = planSends(c, one);
    if (!planned.ok) return planned;
    sends.push(planned.value);
  }
  const admitted = await admit(c, sends);
  if (!admitted.ok) return admitted;
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
  const defaults = { ...draftDefaults(c), exclude: socketId };
  const line = draftOf(name, text);
  const draft = parseDraft(line, defaults);
  if (!draft.ok) return draft;
  const isAllowed = channels.every((channel) => maySend(c, channel));
  return isAllowed ? ok({ draft: draft.value, line, channels }) : fail("scope_missing");
}

/** Users follow whatever they like, so who sends to them must be allowed to publish everywhere. */
const maySend = ({ var: { principal } }: HubContext, channel: string): boolean =>
  userOfChannel(channel) === null ? allows(principal, "publish", channel) : allowsEverywhere(principal, "publish");

/** By schemas, by quotas, last by the number of topics: an empty topic is all that a refusal may leave behind. */
async function admit(c: HubContext, sends: readonly Sends[]): Promise<Result<null>> {
  const appends = sends.flatMap(({ draft, channels }) =>
    channels.filter((channel) => userOfChannel(channel) === null).map((channel) => ({ channel, draft })),
  );
  const checks = await Promise.all(appends.map(({ channel, draft }) => checkSchema(c, channel, draft)));
  for (const checked of checks) if (!checked.ok) return checked;
  const caller = callerOf(c);
  const drafts = appends.map(({ draft }) => draft);
  const spent = await spendOnEvents(c.env, caller.principal, drafts);
  if (!spent.ok) return spent;
  const names = new Set(appends.map(({ channel }) => channel));
  const topics = await Promise.all([...names].map((name) => ensureTopic(c.env, caller, name)));
  for (const topic of topics) if (!topic.ok) return topic;
  return ok(null);
}

/** A topic that is still to be made asks for none. */
async function checkSchema(c: HubContext, channel: string, draft: EventDraft): Promise<Result<null>> {
  const topic = await findTopic(c.env, c.var.principal.app, channel);
  if (!topic.ok) return topic.failure.code === "topic_not_found" ? ok(null) : topic;
  if (topic.value.schemaPolicy !== "enforce") return ok(null);
  const checked = await checkDrafts(c.env, topic.value, [draft]);
  if (checked.ok) return ok(null);
  await noteRejection(c.env, callerOf(c), channel, checked.failure);
  return checked;
}

async function carryOut(c: HubContext, { draft, line, channels }: Sends): Promise<Result<null>> {
  const answers = await Promise.all(
    channels.map(async (channel): Promise<Result<unknown>> => {
      const user = userOfChannel(channel);
      if (user !== null) return ok(await sendToUser(c, user, line));
      const published = await publishPaid(c.env, callerOf(c), channel, [draft], NO_CONDITIONS);
      if (published.ok) recordPublish(c, channel, published.value);
      return published;
    }),
  );
  const refused = answers.find((answer) => !answer.ok);
  return refused === undefined ? ok(null) : (refused as Result<never>);
}
