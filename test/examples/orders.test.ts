import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Webhook } from "standardwebhooks";
import { HubConnection } from "../../examples/orders/hub.ts";
import { checkOrderCommand, totalOf } from "../../examples/orders/order.ts";
import { Sequences } from "../../examples/orders/sequence.ts";
import { inventory } from "../../examples/orders/services/inventory.ts";
import { isSignedWith, makeSecret, Remembered } from "../../examples/orders/webhook.ts";

const command = {
  orderId: "ord-1",
  customerId: "cust-1041",
  total: 55.95,
  items: [
    { id: "cup-stoneware", quantity: 3 },
    { id: "tea-assam", quantity: 1 },
  ],
};

describe("the command Place Order", () => {
  it("[EX-1] becomes an order with the catalogue's names and prices", () => {
    expect(checkOrderCommand(command)).toEqual({
      ok: true,
      order: {
        id: "ord-1",
        customerId: "cust-1041",
        customerName: "Ada Okafor",
        total: 55.95,
        status: "Placed",
        items: [
          { id: "cup-stoneware", name: "Stoneware cup", quantity: 3, price: 14.9 },
          { id: "tea-assam", name: "Assam tea, 250 g", quantity: 1, price: 11.25 },
        ],
      },
    });
  });

  it.each<[string, unknown, string]>([
    ["no object", "order", "JSON object"],
    ["no id", { ...command, orderId: undefined }, "orderId"],
    ["an id with other characters", { ...command, orderId: "a/b" }, "orderId"],
    ["an unknown customer", { ...command, customerId: "cust-0" }, "customerId"],
    ["no items", { ...command, items: [] }, "items"],
    ["an unknown product", { ...command, items: [{ id: "gold", quantity: 1 }] }, "items[0].id"],
    ["a broken quantity", { ...command, items: [{ id: "tea-assam", quantity: 0.5 }] }, "items[0].quantity"],
    ["null for an item", { ...command, items: [null] }, "items[0].id"],
    ["another total", { ...command, total: 1 }, "total"],
  ])("[EX-1] is refused with %s", (_what, given, named) => {
    const checked = checkOrderCommand(given);
    expect(checked.ok ? [] : checked.problems).toContainEqual(expect.stringContaining(named));
  });

  it("[EX-1] is summed in cents", () => {
    expect(6.8 * 9).not.toBe(61.2);
    expect(totalOf([{ price: 6.8, quantity: 9 }])).toBe(61.2);
  });
});

it("[EX-12] an order's goods are reserved from its placing until its payment, which takes them off the shelf", async () => {
  const published: string[] = [];
  const hub = Object.assign(new HubConnection("http://hub.invalid", "key"), {
    publish: async (topic: string) => void published.push(topic),
  }) as unknown as HubConnection;
  const { consume, stock, reserved } = inventory(hub, new Sequences());
  const items = [{ id: "tea-assam", name: "Assam tea, 250 g", quantity: 2, price: 11.25 }];
  const told = (type: string, data: object) => ({ id: type, type, time: "2026-11-21T12:00:00Z", data }) as never;
  const onShelf = stock()["tea-assam"]!;
  const at = (now: number) => ({ receivedAt: now, startedAt: now, endedAt: now });
  await consume(told("order.created", { id: "ord-1", items, handling: at(0) }));
  expect([stock()["tea-assam"], reserved()["tea-assam"], published]).toEqual([onShelf, 2, []]);
  await consume(told("payment.confirmed", { orderId: "ord-1", items }));
  expect([stock()["tea-assam"], reserved()["tea-assam"], published]).toEqual([onShelf - 2, 0, ["stock.updated"]]);
});

describe("a webhook consumer", () => {
  const secret = makeSecret();
  const now = Date.parse("2026-11-21T12:00:00Z");
  const body = `{"id":"1"}`;
  const headersAt = (at: number): Record<string, string> => ({
    "webhook-id": "msg_1",
    "webhook-timestamp": String(Math.trunc(at / 1_000)),
    "webhook-signature": new Webhook(secret).sign("msg_1", new Date(at), body),
  });

  it("[EX-2] accepts what the official library signs, among other signatures too", () => {
    expect(isSignedWith(secret, headersAt(now), body, now)).toBe(true);
    const headers = headersAt(now);
    const others = `v1a,AAAA v1,${Buffer.alloc(32).toString("base64")}`;
    const rotated = { ...headers, "webhook-signature": `${others} ${headers["webhook-signature"]}` };
    expect(isSignedWith(secret, rotated, body, now)).toBe(true);
  });

  it("[EX-2] refuses another secret, another body, an old message and none", () => {
    const headers = headersAt(now);
    expect(isSignedWith(makeSecret(), headers, body, now)).toBe(false);
    expect(isSignedWith(secret, headers, `{"id":"2"}`, now)).toBe(false);
    expect(isSignedWith(secret, headersAt(now - 301_000), body, now)).toBe(false);
    expect(isSignedWith(secret, {}, body, now)).toBe(false);
    const soon = { ...headers, "webhook-timestamp": "soon", "webhook-signature": sign(`msg_1.soon.${body}`) };
    expect(isSignedWith(secret, soon, body, now)).toBe(false);
  });

  const sign = (text: string): string =>
    `v1,${createHmac("sha256", Buffer.from(secret.slice(6), "base64"))
      .update(text)
      .digest("base64")}`;

  it("[EX-2] remembers what it has done, and forgets the oldest of very many", () => {
    const done = new Remembered();
    for (let number = 0; number <= 10_000; number += 1) done.add(`msg_${number}`);
    expect([done.has("msg_0"), done.has("msg_1"), done.has("msg_10000")]).toEqual([false, true, true]);
  });
});
