import { checkOrderCommand, type Order } from "../order.ts";

export type ProcessedOrder =
  | { readonly ok: true; readonly order: Order; readonly startedAt: number; readonly endedAt: number }
  | { readonly ok: false; readonly problems: readonly string[] };

/** The Orders Service: makes an order of what a customer asks for, with the catalogue's names and prices. */
export function processOrder(command: unknown): ProcessedOrder {
  const startedAt = Date.now();
  const checked = checkOrderCommand(command);
  return checked.ok ? { ok: true, order: checked.order, startedAt, endedAt: Date.now() } : checked;
}
