/** One topic seen live in this hub: how far it has come, and who follows it. */
import { formatCursor } from "../../core/cursor.ts";
import { compileFilter, type Filter } from "../../core/filter.ts";
import type { FilterPattern } from "../../core/filter-pattern.ts";
import type { FollowedTopic } from "../rpc.ts";
import type { Connection } from "./connection.ts";

export class Follower {
  readonly connection: Connection;
  readonly pattern: FilterPattern | null;
  readonly filter: Filter;
  /** Its own offsets by partition while it is not live; null: it is where the channel is. */
  behind: number[] | null;
  /** A replay is under way; at most one is. */
  replaying = false;

  constructor(connection: Connection, pattern: FilterPattern | null, behind: number[] | null) {
    this.connection = connection;
    this.pattern = pattern;
    this.filter = compileFilter(pattern);
    this.behind = behind;
  }
}

export class TopicChannel {
  readonly followed: FollowedTopic;
  /** By connection id. */
  readonly followers = new Map<string, Follower>();
  /** Subscribes under way, which need the channel though nobody follows it yet. */
  starting = 0;
  /** By partition; -1 until the log has been asked for the first time. */
  readonly positions: number[];

  constructor(followed: FollowedTopic, positions: readonly { partition: number; offset: number }[]) {
    this.followed = followed;
    this.positions = Array.from({ length: followed.partitions }, () => -1);
    for (const { partition, offset } of positions) this.positions[partition] = offset;
  }

  get name(): string {
    return this.followed.topic;
  }

  get epoch(): number {
    return this.followed.life.epoch;
  }

  cursorAt(offsets: readonly number[]): string {
    return formatCursor({
      epoch: this.epoch,
      offsets: new Map(offsets.map((offset, partition) => [partition, offset])),
    });
  }

  isLevel(offsets: readonly number[]): boolean {
    return offsets.every((offset, partition) => offset === this.positions[partition]);
  }
}

export const totalOf = (offsets: readonly number[]): number => offsets.reduce((sum, offset) => sum + offset, 0);
