/** The command Place Order, checked; what it becomes is the order that every event after it carries. */
import { customerById, productById } from "./catalogue.ts";

export interface OrderItem {
  readonly id: string;
  readonly name: string;
  readonly quantity: number;
  readonly price: number;
}

export interface Order {
  readonly id: string;
  readonly customerId: string;
  readonly customerName: string;
  readonly items: readonly OrderItem[];
  readonly total: number;
  readonly status: "Placed";
}

/** When the command was received and its order was made, milliseconds: as the command handler saw it. */
export interface Handling {
  readonly receivedAt: number;
  readonly startedAt: number;
  readonly endedAt: number;
}

export type CheckedOrder =
  { readonly ok: true; readonly order: Order } | { readonly ok: false; readonly problems: readonly string[] };

/** The command is `{ orderId, customerId, items: [{ id, quantity }], total }`. */
export function checkOrderCommand(command: unknown): CheckedOrder {
  if (typeof command !== "object" || command === null) return refuse("The command is a JSON object.");
  const { orderId, customerId, items, total } = command as Record<string, unknown>;
  const problems: string[] = [];
  const customer = customerById.get(String(customerId));
  const checkedItems = checkItems(items, problems);
  const sum = totalOf(checkedItems);
  if (!isOrderId(orderId)) problems.push("orderId is 3 to 64 letters, digits and dashes.");
  if (customer === undefined) problems.push("customerId names no customer.");
  if (total !== sum) problems.push(`total is ${String(total)}, and the items make ${sum}.`);
  if (!isOrderId(orderId) || customer === undefined || problems.length > 0) return refuse(...problems);
  const buyer = { customerId: customer.id, customerName: customer.name };
  return { ok: true, order: { id: orderId, ...buyer, items: checkedItems, total: sum, status: "Placed" } };
}

const refuse = (...problems: string[]): CheckedOrder => ({ ok: false, problems });

const isOrderId = (value: unknown): value is string => typeof value === "string" && /^[A-Za-z0-9-]{3,64}$/.test(value);

/** In cents, because 6.8 × 9 is not 61.2 in binary. */
export const totalOf = (items: readonly Pick<OrderItem, "price" | "quantity">[]): number =>
  items.reduce((cents, { price, quantity }) => cents + Math.round(price * 100) * quantity, 0) / 100;

function checkItems(items: unknown, problems: string[]): OrderItem[] {
  if (!Array.isArray(items) || items.length === 0 || items.length > 20) {
    problems.push("items lists 1 to 20 products.");
    return [];
  }
  return items.flatMap((item: unknown, index) => {
    const { id, quantity } = (item ?? {}) as Record<string, unknown>;
    const product = productById.get(String(id));
    const counted = typeof quantity === "number" && Number.isInteger(quantity) && quantity >= 1 && quantity <= 99;
    if (product === undefined) problems.push(`items[${index}].id names no product.`);
    if (!counted) problems.push(`items[${index}].quantity is a whole number from 1 to 99.`);
    if (product === undefined || !counted) return [];
    return [{ id: product.id, name: product.name, quantity, price: product.price }];
  });
}
