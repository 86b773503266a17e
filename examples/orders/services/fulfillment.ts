import type { Consume, OrderEvent } from "./consumer.ts";
import type { Payment } from "./payment.ts";

export interface Fulfillment {
  readonly consume: Consume;
  /** Orders handed to the warehouse, newest first. */
  picked(): readonly string[];
  isBroken(): boolean;
  setBroken(broken: boolean): void;
}

/** Fulfillment: hands paid orders to the warehouse. Its label printer is broken until somebody repairs it. */
export function fulfillment(): Fulfillment {
  const orders: string[] = [];
  let broken = true;
  return {
    consume: async ({ data }: OrderEvent<Payment>) => {
      if (broken) throw new Error(`The label printer is out of order; ${data.orderId} cannot be picked.`);
      orders.unshift(data.orderId);
    },
    picked: () => orders,
    isBroken: () => broken,
    setBroken: (value) => {
      broken = value;
    },
  };
}
