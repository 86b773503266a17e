/**
 * The shop: one HTTP server on loopback for its page, the consumers' webhooks and the switch that breaks and
 * repairs Fulfillment. Its services know the hub and never each other.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CUSTOMERS, PRODUCTS } from "./catalogue.ts";
import { answerRequest, parseJson, type Answer, type Route } from "./http.ts";
import { HubConnection } from "./hub.ts";
import { sendPlaceOrder } from "./client.ts";
import { Sequences } from "./sequence.ts";
import type { Consume } from "./services/consumer.ts";
import { fulfillment } from "./services/fulfillment.ts";
import { inventory } from "./services/inventory.ts";
import { notification } from "./services/notification.ts";
import { payment } from "./services/payment.ts";
import { subscribe, WEBHOOK_CONSUMERS } from "./subscriptions.ts";
import { isSignedWith, makeSecret, Remembered } from "./webhook.ts";

export interface Orders {
  readonly url: string;
  /** Tells the hub where the consumers are. */
  subscribe(): Promise<void>;
  close(): Promise<void>;
}

export interface OrdersOptions {
  /** The hub's address; its page may call this server too, under that name or as localhost. */
  readonly hub: string;
  readonly key: string;
}

export async function startOrders(options: OrdersOptions): Promise<Orders> {
  const hub = new HubConnection(options.hub, options.key);
  const secrets = new Map(WEBHOOK_CONSUMERS.map(({ name }) => [name, makeSecret()]));
  const origins = new Set([options.hub, options.hub.replace("127.0.0.1", "localhost")]);
  const routes = makeRoutes(hub, secrets);
  const server = createServer((request, response) => void answerRequest(routes, origins, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    subscribe: () => subscribe(hub, url, secrets),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function makeRoutes(hub: HubConnection, secrets: ReadonlyMap<string, string>): ReadonlyMap<string, Route> {
  const sequences = new Sequences();
  const stock = inventory(hub, sequences);
  const customers = notification(sequences);
  const warehouse = fulfillment();
  const consumers: Record<string, Consume> = {
    payment: payment(hub),
    inventory: stock.consume,
    notification: customers.consume,
    fulfillment: warehouse.consume,
  };
  const state = (): Answer => ({
    status: 200,
    body: {
      fulfillment: warehouse.isBroken() ? "broken" : "working",
      picked: warehouse.picked(),
      notifications: customers.sent(),
      stock: stock.stock(),
      reserved: stock.reserved(),
      products: PRODUCTS,
      customers: CUSTOMERS,
    },
  });
  const turn = (broken: boolean) => (): Answer => {
    warehouse.setBroken(broken);
    return state();
  };
  return new Map<string, Route>([
    ["GET /state", state],
    ["GET /sequences", () => ({ status: 200, body: sequences.diagrams() })],
    ["POST /orders", (_request, body) => commandPlaceOrder(hub, body)],
    ["POST /repair", turn(false)],
    ["POST /break", turn(true)],
    ...Object.entries(consumers).map(([name, consume]): [string, Route] => [
      `POST /webhooks/${name}`,
      webhook(secrets.get(name)!, consume),
    ]),
  ]);
}

/** 201 for a new order, 200 when this order had been placed before, 422 with what is wrong with it. */
async function commandPlaceOrder(hub: HubConnection, body: string): Promise<Answer> {
  const placed = await sendPlaceOrder(hub, parseJson(body));
  if (placed.status === "rejected") return { status: 422, body: { status: "rejected", problems: [placed.reason] } };
  return { status: placed.receipt.duplicate ? 200 : 201, body: placed };
}

function webhook(secret: string, consume: Consume): Route {
  const done = new Remembered();
  return async (request, body) => {
    const signed = isSignedWith(secret, request.headers, body, Date.now());
    if (!signed) return { status: 401, body: { error: "The signature is not the hub's." } };
    const id = String(request.headers["webhook-id"]);
    if (done.has(id)) return { status: 204 };
    await consume(JSON.parse(body) as never);
    done.add(id);
    return { status: 204 };
  };
}
