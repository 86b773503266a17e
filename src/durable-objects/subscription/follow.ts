/** Attaches the subscription to logs. Idempotent: a log keeps where an attached listener stands. */
import { compileFilter } from "../../core/filter.ts";
import { startInTopic } from "../../core/subscription.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import type { Env } from "../../env.ts";
import { topicLog } from "../../stubs.ts";
import type { Attached, FollowedTopic, ReadStart } from "../rpc.ts";
import { beginSource } from "./accept.ts";
import type { Ledger } from "./ledger.ts";

/** Attaches under way at once. */
const ATTACHES_AT_ONCE = 32;

interface Place {
  readonly topic: FollowedTopic;
  readonly partition: number;
}

/** Tries every partition of every topic, and answers the first failure if there was one. */
export async function followTopics(ledger: Ledger, env: Env, topics: readonly FollowedTopic[]): Promise<Result<null>> {
  if (ledger.definition === null) return fail("subscription_not_found");
  const places = topics
    .filter(({ topic }) => ledger.follows(topic))
    .flatMap((topic) => Array.from({ length: topic.partitions }, (_, partition): Place => ({ topic, partition })));
  let answer: Result<null> = ok(null);
  const lane = async (): Promise<void> => {
    for (let place = places.shift(); place !== undefined; place = places.shift()) {
      const attached = await attach(ledger, env, place);
      if (attached.ok) recordAttached(ledger, place, attached.value);
      else if (answer.ok) answer = attached;
    }
  };
  await Promise.all(Array.from({ length: Math.min(ATTACHES_AT_ONCE, places.length) }, lane));
  return answer;
}

async function attach(ledger: Ledger, env: Env, { topic, partition }: Place): Promise<Result<Attached>> {
  const { definition } = ledger;
  if (definition === null) return fail("subscription_not_found");
  const { types, keys } = compileFilter(definition.filter);
  // An epoch is the time of the topic's birth (TopicsStore.create).
  const start: ReadStart = startInTopic(definition.start, topic.life.epoch);
  const listener = { kind: "subscription", id: ledger.subscriptionId } as const;
  return topicLog(env, ledger.app, topic.topic, partition).attach({ life: topic.life, listener, start, types, keys });
}

function recordAttached(ledger: Ledger, { topic: { topic, life }, partition }: Place, { after, head }: Attached): void {
  if (!ledger.follows(topic)) return;
  ledger.storage.transactionSync(() => {
    const name = { topic, partition, epoch: life.epoch };
    const known = ledger.sources.find(name) ?? beginSource(ledger, name, after, head > after);
    if (known.state === "frozen") ledger.sources.setState(known.id, "live");
    if (head > known.examined) ledger.sources.markBehind(known.id);
    ledger.announce(known.id, head);
  });
}
