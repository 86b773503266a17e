/**
 * Brings a follower that is behind level with its channel, page by page from the logs, as far as its window has room.
 * Where it stands is a row before the next page is asked, so an eviction costs nothing but time.
 */
import { LIMITS } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import { topicLog } from "../../stubs.ts";
import type { ReadPage } from "../rpc.ts";
import { BatchFrames } from "./event-frames.ts";
import type { HubAlarm } from "./hub-alarm.ts";
import type { HubState } from "./hub-state.ts";
import type { Follower, TopicChannel } from "./topic-channel.ts";

const PAGE_EVENTS = 500;
const PAGE_BYTES = 256 * 1_024;
/** RFC 6455, §5.5: a control frame holds 125 bytes, two of which are the code. */
const CLOSE_REASON_BYTES_MAX = 123;

export class Replays {
  readonly #hub: HubState;
  readonly #alarm: HubAlarm;

  constructor(hub: HubState, alarm: HubAlarm) {
    this.#hub = hub;
    this.#alarm = alarm;
  }

  /** Starts or goes on; a follower that waits for room or for a push is started again by them. */
  start(channel: TopicChannel, follower: Follower): void {
    if (follower.replaying || follower.behind === null) return;
    follower.replaying = true;
    this.#hub.ctx.waitUntil(this.#replay(channel, follower));
    this.#alarm.goOnLater(Date.now()); // An evicted hub wakes to go on.
  }

  startAll(): void {
    for (const channel of this.#hub.channels.values()) {
      for (const follower of channel.followers.values()) this.start(channel, follower);
    }
  }

  /** Those of one connection, which has room again. */
  startOf(connectionId: string): void {
    for (const channel of this.#hub.channels.values()) {
      const follower = channel.followers.get(connectionId);
      if (follower !== undefined) this.start(channel, follower);
    }
  }

  async #replay(channel: TopicChannel, follower: Follower): Promise<void> {
    try {
      while (this.#isCurrent(channel, follower) && follower.behind !== null) {
        if (this.#isLevel(channel, follower)) break;
        const partition = follower.behind.findIndex((offset, at) => offset < channel.positions[at]!);
        if (partition < 0) break; // Ahead of the channel: the push that is on its way goes on from there.
        if (!follower.connection.hasRoom) {
          follower.connection.stalledSince ??= Date.now();
          break;
        }
        const page = await this.#read(channel, follower, partition);
        if (!page.ok) return this.#end(channel, follower);
        if (this.#isCurrent(channel, follower)) this.#sendPage(channel, follower, partition, page.value);
      }
    } catch (error) {
      // The log did not answer. The alarm goes on from the row.
      this.#alarm.goOnLater(Date.now());
      console.warn(JSON.stringify({ stage: "hub.replay_interrupted", topic: channel.name, error: String(error) }));
    } finally {
      follower.replaying = false; // In the turn in which it stopped, so that no push can find it running in vain.
    }
  }

  /** Level: from this turn on it is live. */
  #isLevel(channel: TopicChannel, follower: Follower): boolean {
    if (!channel.isLevel(follower.behind!)) return false;
    follower.behind = null;
    this.#hub.recordFollower(channel, follower);
    follower.connection.send(this.#hub.dialect.caughtUp(channel.name, channel.cursorAt(channel.positions)));
    if (!this.#hub.someBehind) this.#alarm.rest();
    return true;
  }

  #read(channel: TopicChannel, { behind, filter, connection }: Follower, partition: number): Promise<Result<ReadPage>> {
    return topicLog(this.#hub.env, connection.principal.app, channel.name, partition).read({
      life: channel.followed.life,
      start: { kind: "after", epoch: channel.epoch, offset: behind![partition]! },
      until: channel.positions[partition]!,
      eventsMax: PAGE_EVENTS,
      bytesMax: PAGE_BYTES,
      types: filter.types,
      keys: filter.keys,
      keyStream: null,
    });
  }

  #sendPage(channel: TopicChannel, follower: Follower, partition: number, page: ReadPage): void {
    if (page.gap !== null) follower.connection.send(this.#hub.dialect.gap({ topic: channel.name, ...page.gap }));
    const frames = new BatchFrames(this.#hub.dialect, channel, partition, follower.behind!, page).for(follower);
    const sent = follower.connection.sendEvents(channel.name, frames);
    if (sent === frames.length) follower.behind![partition] = page.through;
    else if (sent > 0) follower.behind![partition] = frames[sent - 1]!.offset;
    this.#hub.recordFollower(channel, follower);
  }

  /** The log does not know this life of the topic any more. */
  #end(channel: TopicChannel, follower: Follower): void {
    if (!this.#hub.unfollow(follower.connection, channel.name)) return;
    follower.connection.send(this.#hub.dialect.error({ code: "topic_not_found" }, null));
    follower.connection.send(this.#hub.dialect.unsubscribed(null, channel.name));
  }

  #isCurrent(channel: TopicChannel, follower: Follower): boolean {
    return (
      channel.followers.get(follower.connection.id) === follower && this.#hub.channels.get(channel.name) === channel
    );
  }
}

/** Closes readers that have stayed behind and missed their ping. */
export function closeStalled(hub: HubState, now: number): void {
  for (const connection of hub.connections.values()) {
    const { stalledSince, socket } = connection;
    if (stalledSince === null || now - stalledSince < LIMITS.READER_STALL_MS) continue;
    const pingedAt = hub.ctx.getWebSocketAutoResponseTimestamp(socket)?.getTime() ?? 0;
    if (now - pingedAt < LIMITS.READER_STALL_MS) continue;
    const behind = hub.channelsOf(connection).find((channel) => channel.followers.get(connection.id)!.behind !== null);
    const offsets = behind?.followers.get(connection.id)!.behind ?? [];
    const reason = `reader_too_slow ${behind?.cursorAt(offsets) ?? ""}`;
    // Half a cursor would be worse than none: a reader keeps the last one that it saw.
    const isWhole = reason.length <= CLOSE_REASON_BYTES_MAX;
    const failure = { code: "reader_too_slow", limit: LIMITS.ACK_WINDOW_FRAMES } as const;
    hub.end(connection, failure, isWhole ? reason : failure.code);
  }
}
