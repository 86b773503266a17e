/** One event of a topic, and its story: told by its log, and by the ledgers of those who follow the topic. */
import { storyOf, type EventStory, type SubscriptionStory } from "../core/event-story.ts";
import { parseEventLine } from "../core/event.ts";
import { LIMITS } from "../core/limits.ts";
import { matchesTopicPattern } from "../core/names.ts";
import { allowsOnSubscription, type Principal } from "../core/principal.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { heldTopics } from "../core/subscription.ts";
import type { Env } from "../env.ts";
import { SubscriptionsStore } from "../store/subscriptions-store.ts";
import { subscription, topicLog } from "../stubs.ts";
import { findTopic, withTopic } from "./topic-directory.ts";
import { lifeOf } from "./topic-life.ts";

export interface FoundEvent {
  /** As it stands in its log. */
  readonly line: string;
  readonly epoch: number;
}

/**
 * Ids are unique within their source only: of several events with that id in the topic's partitions it is the one in
 * the first of them. Failures: those of `findTopic`, `event_not_found`.
 */
export function findEvent(env: Env, app: string, name: string, id: string): Promise<Result<FoundEvent>> {
  if (id.length > LIMITS.EVENT_ID_BYTES_MAX) return Promise.resolve(fail("event_not_found"));
  return withTopic(
    app,
    name,
    () => findTopic(env, app, name),
    async (topic): Promise<Result<FoundEvent>> => {
      const { partitions, epoch } = topic;
      const answers: Result<string | null>[] = await Promise.all(
        Array.from({ length: partitions }, (_, partition) =>
          topicLog(env, app, name, partition).find(lifeOf(topic), id),
        ),
      );
      const found = answers.find((answer) => !answer.ok || answer.value !== null) ?? ok(null);
      if (!found.ok) return found;
      return found.value === null ? fail("event_not_found") : ok({ line: found.value, epoch });
    },
  );
}

/** Of the subscriptions that the caller may manage; of the others it tells nothing, not even that they are. */
export async function tellStory(env: Env, principal: Principal, { line, epoch }: FoundEvent): Promise<EventStory> {
  const { topic, partition, offset } = parseEventLine(line);
  const following = (await new SubscriptionsStore(env.DB).all(principal.app)).filter(
    (definition) =>
      definition.topics.some((pattern) => matchesTopicPattern(pattern, topic)) &&
      allowsOnSubscription(principal, "manage", heldTopics(definition)),
  );
  const told = await Promise.all(
    following.slice(0, LIMITS.STORY_SUBSCRIPTIONS_MAX).map(async ({ id, name, target }): Promise<SubscriptionStory> => {
      const fate = await subscription(env, principal.app, id).fateOf({ topic, partition, epoch, offset }, line);
      return { subscription: name, target: target.kind, ...fate };
    }),
  );
  return storyOf(line, told, following.length === told.length);
}
