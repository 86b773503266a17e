/** One event as a consumer gets it: the CloudEvent that the hub delivers. */
export interface OrderEvent<Data> {
  readonly id: string;
  readonly type: string;
  readonly time: string;
  readonly partitionkey?: string;
  readonly data: Data;
}

/** Takes one event; a throw makes the hub try again later, and keep the message with the attempt. */
export type Consume = (event: OrderEvent<never>) => Promise<void>;
