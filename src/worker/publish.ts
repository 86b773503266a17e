/** From drafts to receipts: choose partitions, append to each, answer in the order of the drafts. */
import type { Appended } from "../core/appended.ts";
import type { EventDraft } from "../core/event.ts";
import type { Failure } from "../core/errors.ts";
import { checkFirstPublish } from "../core/first-publish.ts";
import { principalKey } from "../core/principal.ts";
import { choosePartition } from "../core/routing.ts";
import { checkDeliverAt } from "../core/schedule.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { AppendRequest } from "../durable-objects/rpc.ts";
import type { Env } from "../env.ts";
import { count } from "../observability/meter.ts";
import type { TopicDefinition, TopicIndex, TopicRecord } from "../store/topics-store.ts";
import { appendToLog, fingerprintOfDraft, isRepeatable, type LogAppended } from "./append-to-log.ts";
import type { Caller } from "./caller.ts";
import { checkDrafts } from "./check-drafts.ts";
import { spendOnEvents } from "./quotas.ts";
import { noteRejection } from "./schema-rejections.ts";
import { noteProducers } from "./sightings.ts";
import { ensureTopic, withTopic } from "./topic-directory.ts";
import { lifeOf } from "./topic-life.ts";

export interface PublishConditions {
  /** The offset that the producer believes to be the partition's last. */
  readonly ifMatch: number | null;
  /** Chosen by hand; null: by routing. */
  readonly partition: number | null;
  readonly request: AppendRequest["request"];
}

export const NO_CONDITIONS: PublishConditions = { ifMatch: null, partition: null, request: null };

/** What became of one draft: appended, kept for later, or (its partition refused) why not. */
export interface Receipt {
  readonly topic: string;
  readonly epoch: number;
  readonly partition: number;
  readonly outcome: Result<Appended>;
}

export interface Published {
  /** In the order of the drafts. */
  readonly receipts: readonly Receipt[];
  /** An earlier request with the same key had appended everything. */
  readonly replayed: boolean;
}

let turn = Math.floor(Math.random() * 64); // Isolates begin apart, so that lone publishes spread at once.

/** What a topic that these make needs. */
export const indexFor = (drafts: readonly EventDraft[]): TopicIndex =>
  drafts.some((draft) => draft.expectedKeyVersion !== null) ? "version" : "none";

/**
 * Fails only when every partition refused; then nothing was appended anywhere, and no topic was made. The quotas are
 * spent first and stay spent: what is refused or a duplicate counts as well.
 */
export async function publish(
  env: Env,
  caller: Caller,
  name: string,
  drafts: readonly EventDraft[],
  conditions: PublishConditions,
  index: TopicIndex = indexFor(drafts),
): Promise<Result<Published>> {
  if (drafts.length === 0) return ok({ receipts: [], replayed: false }); // A batch of CloudEvents may be empty.
  const spent = await spendOnEvents(env, caller.principal, drafts);
  return spent.ok ? publishPaid(env, caller, name, drafts, conditions, index) : spent;
}

/** Likewise what the quotas have been spent on already. */
export async function publishPaid(
  env: Env,
  caller: Caller,
  name: string,
  drafts: readonly EventDraft[],
  conditions: PublishConditions,
  index: TopicIndex = indexFor(drafts),
): Promise<Result<Published>> {
  const timed = checkDeliverAt(drafts, Date.now());
  if (!timed.ok) return timed;
  const fingerprints = drafts.map(fingerprintOfDraft);
  const producer = principalKey(caller.principal);
  const check = (topic: TopicDefinition): Result<unknown> => {
    const routed = route(topic, drafts, conditions);
    return routed.ok ? checkFirstPublish(drafts, fingerprints, conditions.ifMatch) : routed;
  };
  const published = await withTopic(
    caller.principal.app,
    name,
    () => ensureTopic(env, caller, name, { index, check }),
    async (topic) => {
      const routed = route(topic, drafts, conditions);
      if (!routed.ok) return routed;
      const checked = await checkDrafts(env, topic, drafts);
      const refusal = checked.ok ? null : checked.failure;
      // What was accepted once is answered so again, whatever its schema says by now: the log knows.
      if (!checked.ok && !isRepeatable({ fingerprints, request: conditions.request })) return checked;
      const groups = await Promise.all(
        [...routed.value].map(async ([partition, indexes]) => ({
          partition,
          indexes,
          answer: await appendToLog(env, topic, partition, {
            life: lifeOf(topic),
            drafts: indexes.map((at) => (checked.ok ? checked.value : drafts)[at]!),
            fingerprints: indexes.map((at) => fingerprints[at]!),
            ifMatch: conditions.ifMatch,
            request: conditions.request,
            producer,
            refusal,
          }),
        })),
      );
      return collect(topic, groups, refusal !== null);
    },
  );
  if (published.ok) noteProducers(env, caller, name, drafts);
  else await noteRejection(env, caller, name, published.failure);
  return published;
}

function route(
  topic: Pick<TopicDefinition, "partitions">,
  drafts: readonly EventDraft[],
  { ifMatch, partition, request }: PublishConditions,
): Result<Map<number, number[]>> {
  if (partition !== null && partition >= topic.partitions) {
    return fail("parameter_invalid", "The topic has no such partition.", {
      limit: topic.partitions - 1,
      actual: partition,
    });
  }
  if (ifMatch !== null && partition === null && topic.partitions > 1) return fail("partition_required");
  const groups = new Map<number, number[]>();
  for (const [index, draft] of drafts.entries()) {
    const chosen = partition ?? choosePartition(draft, index, request?.key ?? null, turn, topic.partitions);
    const group = groups.get(chosen);
    if (group === undefined) groups.set(chosen, [index]);
    else group.push(index);
  }
  turn += drafts.length;
  return ok(groups);
}

interface PartitionAnswer {
  readonly partition: number;
  readonly indexes: readonly number[];
  readonly answer: Result<LogAppended>;
}

/** `isWhole`: one partition that refuses does so for all. */
function collect(topic: TopicRecord, groups: readonly PartitionAnswer[], isWhole: boolean): Result<Published> {
  const refusals = groups.flatMap(({ answer }) => (answer.ok ? [] : [answer.failure]));
  if (refusals.length === groups.length || (isWhole && refusals.length > 0))
    return { ok: false, failure: mostSerious(refusals) };
  countPublished(topic.app, groups);
  const receipts: Receipt[] = [];
  for (const { partition, indexes, answer } of groups) {
    for (const [at, index] of indexes.entries()) {
      const outcome = answer.ok ? ok(answer.value.events[at]!) : answer;
      receipts[index] = { topic: topic.name, epoch: topic.epoch, partition, outcome };
    }
  }
  return ok({ receipts, replayed: groups.every(({ answer }) => answer.ok && answer.value.replayed) });
}

function countPublished(app: string, groups: readonly PartitionAnswer[]): void {
  const known = groups.flatMap(({ answer }) => (answer.ok ? answer.value.events.filter((one) => one.duplicate) : []));
  count("tidings_publishes_total", { app });
  if (known.length > 0) count("tidings_events_deduplicated_total", { app }, known.length);
}

/** A refusal that may have had an effect is the one that the producer must hear of. */
const mostSerious = (failures: readonly Failure[]): Failure =>
  failures.find(({ code }) => code === "hub_overloaded") ?? failures[0]!;
