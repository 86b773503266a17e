/** How far a topic's partitions reach. */
import type { HubAccess } from "../crash/hub-access.ts";

export interface PartitionEnds {
  readonly partition: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
}

export const partitionsOf = async (access: HubAccess, topic: string): Promise<readonly PartitionEnds[]> =>
  (await access.json<{ readonly partitionStatus: readonly PartitionEnds[] }>("GET", `topics/${topic}`)).partitionStatus;
