/** What a log tells the hub, passed on to the followers that are level; who is not is brought there by its replay. */
import { joinLines, splitLines } from "../../core/event.ts";
import { LIMITS } from "../../core/limits.ts";
import { topicLog } from "../../stubs.ts";
import type { EventBatch, Gap, LogPush, PushAnswer, TopicLife } from "../rpc.ts";
import { deliverRelayed } from "./client-event.ts";
import { BatchFrames } from "./event-frames.ts";
import type { HubState } from "./hub-state.ts";
import type { Replays } from "./replay.ts";
import type { Follower, TopicChannel } from "./topic-channel.ts";

interface Batch extends EventBatch {
  readonly through: number;
  /** Retention has taken the beginning of it. */
  readonly gap: Gap | null;
}

export async function acceptPush(hub: HubState, replays: Replays, app: string, push: LogPush): Promise<PushAnswer> {
  const channel = hub.channels.get(push.topic);
  if (channel === undefined || push.epoch < channel.epoch) return { kind: "gone" };
  if (push.epoch > channel.epoch) {
    endChannel(hub, channel); // The farewell of the life before was lost.
    return { kind: "gone" };
  }
  const position = channel.positions[push.partition]!;
  if (position < 0) {
    // Its log has not answered the first question yet, so nobody is level with it.
    hub.moveTo(channel, push.partition, push.through);
    return { kind: "accepted", through: push.through };
  }
  // A seat that was left is kept until the room knows.
  if (channel.followers.size === 0 && channel.starting === 0 && !hub.seats.has(channel.name)) {
    hub.removeChannel(channel);
    return { kind: "gone" };
  }
  const batch = push.after > position ? await readHole(hub, app, channel, push) : { ...push, gap: null };
  if (hub.channels.get(push.topic) !== channel) return { kind: "gone" }; // It ended while the hole was read.
  deliver(hub, replays, channel, push.partition, batch);
  if (push.relayed !== undefined) deliverRelayed(hub, channel, push.relayed);
  return { kind: "accepted", through: Math.max(batch.through, position) };
}

/** The life is over: its followers are told and forgotten. */
export function forgetLife(hub: HubState, life: TopicLife): void {
  const channel = hub.channels.get(life.topic);
  if (channel !== undefined && channel.epoch <= life.epoch) endChannel(hub, channel);
}

export function endChannel(hub: HubState, channel: TopicChannel): void {
  for (const { connection } of channel.followers.values()) {
    connection.send(hub.dialect.error({ code: "topic_not_found", detail: "The topic was deleted." }, null));
    connection.send(hub.dialect.unsubscribed(null, channel.name));
  }
  hub.removeChannel(channel);
}

/** A push before this one was lost: what it said is in the log. */
async function readHole(hub: HubState, app: string, channel: TopicChannel, push: LogPush): Promise<Batch> {
  const page = await topicLog(hub.env, app, channel.name, push.partition).read({
    life: channel.followed.life,
    start: { kind: "after", epoch: channel.epoch, offset: channel.positions[push.partition]! },
    until: push.through,
    eventsMax: LIMITS.PAGE_EVENTS_MAX,
    bytesMax: LIMITS.PUSH_BYTES_MAX,
    types: null,
    keys: null,
    keyStream: null,
  });
  if (!page.ok) throw new Error(`a hole cannot be read: ${page.failure.code}`);
  return page.value;
}

function deliver(hub: HubState, replays: Replays, channel: TopicChannel, partition: number, batch: Batch): void {
  const position = channel.positions[partition]!;
  if (batch.through <= position) return;
  const start = [...channel.positions];
  const frames = new BatchFrames(hub.dialect, channel, partition, start, dropUpTo(position, batch));
  hub.moveTo(channel, partition, batch.through);
  for (const follower of channel.followers.values()) {
    if (follower.behind === null) {
      const reached = sendLive(hub, channel, follower, frames, batch, position);
      if (reached === batch.through) continue;
      follower.behind = start.with(partition, reached);
      hub.recordFollower(channel, follower);
    }
    replays.start(channel, follower);
  }
}

/** Answers how far the follower got: through the batch, or to the last frame that its window had room for. */
function sendLive(
  hub: HubState,
  channel: TopicChannel,
  follower: Follower,
  frames: BatchFrames,
  { gap, through }: Batch,
  position: number,
): number {
  const { connection } = follower;
  if (!connection.hasRoom) return position;
  if (gap !== null) connection.send(hub.dialect.gap({ topic: channel.name, ...gap }));
  const wanted = frames.for(follower);
  const sent = connection.sendEvents(channel.name, wanted);
  return sent === wanted.length ? through : wanted[sent - 1]!.offset;
}

/** A push that is told again may begin before what was delivered. */
function dropUpTo(position: number, batch: EventBatch): EventBatch {
  const fresh = batch.offsets.findIndex((offset) => offset > position);
  if (fresh === 0 || batch.offsets.length === 0) return batch;
  if (fresh < 0) return { offsets: [], body: "" };
  return { offsets: batch.offsets.slice(fresh), body: joinLines(splitLines(batch.body).slice(fresh)) };
}
