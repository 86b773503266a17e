/** How a topic's row is told to objects, which never read it. */
import type { FollowedTopic, LogLife } from "../durable-objects/rpc.ts";
import type { TopicRecord } from "../store/topics-store.ts";

export const lifeOf = ({ epoch, revision, index, retention }: TopicRecord): LogLife => ({
  epoch,
  revision,
  index,
  retention,
});

export const followedTopicOf = (topic: TopicRecord): FollowedTopic => ({
  topic: topic.name,
  partitions: topic.partitions,
  life: lifeOf(topic),
});
