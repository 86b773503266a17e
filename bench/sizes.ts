/** How much each measure does: enough to be steady, little enough that the default run ends within ten minutes. */

export interface Sizes {
  /** Blocks of each side, after one that is thrown away. */
  readonly pairs: number;
  readonly publishOneRequests: number;
  readonly publishManyRequests: number;
  /** Deliveries of a burst to all sockets together, and events sent one at a time for the latency. */
  readonly fanOutDeliveries: number;
  readonly fanOutCalmEvents: number;
  /** The same over event streams, of which a peer does few. */
  readonly streamDeliveries: number;
  readonly logEvents: number;
  readonly webhookBurstEvents: number;
  readonly webhookCalmEvents: number;
  /** Events that wait for a subscription which then delivers them all. */
  readonly backlogEvents: number;
  readonly deepEvents: number;
  readonly shallowEvents: number;
  readonly depthRequests: number;
  readonly rowsRequests: number;
}

export const FULL: Sizes = {
  pairs: 9,
  publishOneRequests: 2_000,
  publishManyRequests: 600,
  fanOutDeliveries: 60_000,
  fanOutCalmEvents: 20,
  streamDeliveries: 2_000,
  logEvents: 100_000,
  webhookBurstEvents: 1_000,
  webhookCalmEvents: 100,
  backlogEvents: 10_000,
  deepEvents: 1_000_000,
  shallowEvents: 1_000,
  depthRequests: 200,
  rowsRequests: 50,
};

export const QUICK: Sizes = {
  pairs: 3,
  publishOneRequests: 600,
  publishManyRequests: 200,
  fanOutDeliveries: 20_000,
  fanOutCalmEvents: 5,
  streamDeliveries: 600,
  logEvents: 20_000,
  webhookBurstEvents: 300,
  webhookCalmEvents: 30,
  backlogEvents: 3_000,
  deepEvents: 300_000,
  shallowEvents: 1_000,
  depthRequests: 100,
  rowsRequests: 20,
};
