/**
 * `GET /v1/subscriptions/{name}/settled`: has it settled everything up to a cursor? Who asks with the cursor of its own
 * receipt reads its own writes from whatever the subscription feeds.
 */
import { Hono } from "hono";
import { formatCursor, parseCursor, type Cursor } from "../../core/cursor.ts";
import { matchesTopicPattern } from "../../core/names.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { TOPIC_NOT_FOLLOWED, type SettledAnswer, type SettledAsk } from "../../core/settled.ts";
import type { Env } from "../../env.ts";
import { subscription } from "../../stubs.ts";
import { refusedMeanwhile } from "../access/refused-meanwhile.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { readWait } from "../list-query.ts";
import { answerUnreached } from "../reach.ts";
import { json, problem } from "../respond.ts";
import { waitForSettled } from "../settled-wait.ts";
import { withFollowed, type Followed } from "../subscription-directory.ts";
import { findTopic, forgetTopic } from "../topic-directory.ts";

export const settledRoute = new Hono<HubBindings>()
  .onError(answerUnreached)
  .get("/subscriptions/:name/settled", getSettled);

interface SettledQuery {
  readonly topic: string;
  readonly minCursor: Cursor;
  readonly waitMs: number;
}

async function getSettled(c: HubContext): Promise<Response> {
  const query = readQuery(c);
  if (!query.ok) return problem(query.failure);
  const answer = await askUntilReached(c, query.value);
  if (!answer.ok) return problem(answer.failure);
  const { reached, offsets } = answer.value;
  const { epoch } = query.value.minCursor;
  return json({ reached, cursor: formatCursor({ epoch, offsets }) });
}

function readQuery(c: HubContext): Result<SettledQuery> {
  const topic = c.req.query("topic");
  if (topic === undefined) return fail("parameter_invalid", "Say by `topic` which topic the cursor is of.");
  const minCursor = parseCursor(c.req.query("minCursor") ?? "");
  if (minCursor === null) return fail("cursor_invalid");
  const waitMs = readWait(c);
  return waitMs.ok ? ok({ topic, minCursor, waitMs: waitMs.value }) : waitMs;
}

/** At once where it is reached; else when it is, or when the wait is over. HEAD waits for nobody. */
async function askUntilReached(c: HubContext, query: SettledQuery): Promise<Result<SettledAnswer>> {
  const deadline = Date.now() + (c.req.method === "GET" ? query.waitMs : 0);
  const hungUp = c.req.raw.signal;
  let answer = await askLedger(c, query, askOnce);
  while (answer.ok && !answer.value.reached && Date.now() < deadline && !hungUp.aborted) {
    const waited = await askLedger(c, query, async (env, { app, id }, ask) =>
      ok(await waitForSettled({ env, app, id, ask, deadline, hungUp })),
    );
    if (!waited.ok) return waited;
    if (!waited.value) return answer;
    answer = (await refusedMeanwhile(c)) ?? (await askLedger(c, query, askOnce));
  }
  return answer;
}

type Work<T> = (env: Env, of: Followed, ask: SettledAsk) => Promise<Result<T>>;

const askOnce: Work<SettledAnswer> = (env, { app, id }, ask) => subscription(env, app, id).settled(ask);

/** A topic that the credential's patterns do not cover is not looked for. */
function askLedger<T>(c: HubContext, { topic, minCursor }: SettledQuery, work: Work<T>): Promise<Result<T>> {
  return withFollowed(c, async (followed) => {
    if (!followed.topics.some((pattern) => matchesTopicPattern(pattern, topic))) return TOPIC_NOT_FOLLOWED;
    const known = await checkCursor(c.env, followed.app, topic, minCursor);
    if (!known.ok) return known;
    const answer = await work(c.env, followed, { revision: followed.revision, topic, minCursor });
    if (!answer.ok && answer.failure.code === "topic_not_found") forgetTopic(followed.app, topic);
    return answer;
  });
}

/** Failures: `cursor_invalid` where it is not of the topic's present life, those of `findTopic`. */
async function checkCursor(env: Env, app: string, name: string, { epoch, offsets }: Cursor): Promise<Result<null>> {
  let topic = await findTopic(env, app, name);
  if (topic.ok && topic.value.epoch < epoch) {
    forgetTopic(app, name); // It may have begun anew since this isolate looked.
    topic = await findTopic(env, app, name);
  }
  if (!topic.ok) return topic;
  const { partitions } = topic.value;
  const isOfTopic = epoch === topic.value.epoch && [...offsets.keys()].every((partition) => partition < partitions);
  return isOfTopic ? ok(null) : fail("cursor_invalid", "It is of another topic, or of another life of this one.");
}
