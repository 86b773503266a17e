/** The shop's command Place Order, from the button to the services that hear of it. */
import mermaid from "mermaid";
import { afterAll, beforeAll, expect, it } from "vitest";
import { startOrders, type Orders } from "../../examples/orders/server.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;
let shop: Orders;

beforeAll(async () => {
  hub = await startHub({ consumers: { CONSUMER_ORDERS: "examples/orders/command-handler.ts" } });
  shop = await startOrders({ hub: hub.url, key: ROOT_KEY });
  await shop.subscribe();
});
afterAll(async () => {
  await shop.close();
  await hub.close();
});

interface Answer {
  readonly status: string;
  readonly receipt?: { readonly offset: number; readonly duplicate: boolean };
  readonly problems?: readonly string[];
}

async function place(more: object = {}): Promise<{ status: number; body: Answer }> {
  const items = [{ id: "tea-assam", quantity: 2 }];
  const command = { orderId: "ord-1", customerId: "cust-1041", items, total: 22.5, ...more };
  const response = await fetch(`${shop.url}/orders`, { method: "POST", body: JSON.stringify(command) });
  return { status: response.status, body: (await response.json()) as Answer };
}

const ask = async <Body>(path: string): Promise<Body> => (await fetch(`${shop.url}${path}`)).json() as Promise<Body>;

/** The participants of the sequence that the example follows, and who tells whom what. */
const PARTICIPANTS = [
  "Client",
  "Command Handler",
  "Orders Service",
  "Event Bus",
  "Notification Service",
  "Inventory Service",
];
const COMMAND_STEPS = ["Client->>CH", "CH->>OS", "OS-->>CH", "CH->>EB"];
const EVENT_STEPS = ["EB-->>NS", "EB-->>IS", "NS->>NS", "IS->>IS"];

it("[EX-11] runs the Place Order sequence: the same participants in the same order, each step as it was seen", async () => {
  expect(await place()).toMatchObject({ status: 201, body: { status: "accepted", receipt: { duplicate: false } } });
  const diagram = await eventually(
    async () => (await ask<Record<string, string>>("/sequences"))["ord-1"] ?? "",
    (text) => EVENT_STEPS.every((step) => text.includes(step)),
    "everybody has done their part",
  );
  console.log(diagram);
  const participants = [...diagram.matchAll(/^ {2}participant (?:\w+ as )?(.+)$/gm)].map(([, name]) => name);
  expect(participants).toEqual(PARTICIPANTS);
  const steps = [...diagram.matchAll(/^ {2}(\w+--?>>\w+): /gm)].map(([, step]) => step!);
  expect(steps.slice(0, 4)).toEqual(COMMAND_STEPS);
  expect(steps.slice(4).toSorted()).toEqual(EVENT_STEPS.toSorted());
  for (const service of ["NS", "IS"])
    expect(steps.indexOf(`${service}->>${service}`)).toBeGreaterThan(steps.indexOf(`EB-->>${service}`));
  await expect(mermaid.parse(diagram)).resolves.toMatchObject({ diagramType: "sequence" });
});

it("[EX-12] places an order once however often it is asked for, and refuses another under its id", async () => {
  const [first, again] = [await place({ orderId: "ord-2" }), await place({ orderId: "ord-2" })];
  expect(first.status).toBe(201);
  expect(again).toMatchObject({
    status: 200,
    body: { receipt: { duplicate: true, offset: first.body.receipt!.offset } },
  });
  const other = await place({ orderId: "ord-2", items: [{ id: "tea-assam", quantity: 4 }], total: 45 });
  expect(other).toMatchObject({
    status: 422,
    body: { status: "rejected", problems: ["There is an order ord-2 already."] },
  });
  await (await hub.database()).prepare("DELETE FROM idempotency_keys").run();
  const late = await hub.json("POST", "/v1/commands/place-order", { key: "ord-2", payload: { orderId: "ord-2" } });
  expect(late.body).toMatchObject({ status: "rejected", reason: "There is an order ord-2 already." });
  const placed = (await hub.readAll("order.created")).filter(({ partitionkey }) => partitionkey === "ord-2");
  expect(placed).toHaveLength(1);
});

it("[EX-12] rejects what is no order, and says why", async () => {
  const { status, body } = await place({ orderId: "ord-3", total: 1 });
  expect(status).toBe(422);
  expect(body.problems).toEqual(["total is 1, and the items make 22.5."]);
  expect((await place({ orderId: undefined })).status).toBe(422);
});

it("[EX-12] reserves the goods of an order until it is paid for", async () => {
  const { stock, reserved } = await eventually(
    () => ask<{ stock: Record<string, number>; reserved: Record<string, number> }>("/state"),
    (state) => state.reserved["tea-assam"] === 0 && state.stock["tea-assam"] === 246,
    "two orders are paid for",
  );
  expect([stock["tea-assam"], reserved["tea-assam"]]).toEqual([246, 0]);
});
