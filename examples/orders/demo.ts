/**
 * `npm run demo`: the whole story against a started hub (`npm run dev`), told step by step. Every figure is read from
 * the hub; nothing is pretended. Ends with 1 when something did not happen.
 */
import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import { HubConnection, type Receipt } from "./hub.ts";
import { LiveEvents } from "./live-events.ts";
import { say, step, until } from "./narrator.ts";
import { totalOf } from "./order.ts";
import { CUSTOMERS, PRODUCTS } from "./catalogue.ts";

interface Session {
  readonly key: string;
  readonly orders: string;
}

interface Subscription {
  readonly name: string;
  readonly state: string;
  readonly stats: Readonly<Record<StatName, number>>;
}

type StatName = "owed" | "delivered" | "dead" | "expired" | "skipped" | "discarded" | "lag" | "matched";

interface DeadLetter {
  readonly id: string;
  readonly reason: string;
  readonly event: { readonly partitionkey: string };
  readonly attempts: readonly Attempt[];
}

interface Attempt {
  readonly at: string;
  readonly status: number | null;
  readonly durationMs: number;
  readonly excerpt: string;
}

interface TopicReport {
  readonly partitionStatus: readonly { readonly firstOffset: number; readonly lastOffset: number }[];
}

interface LogPage {
  readonly events: readonly { readonly partitionkey?: string }[];
}

const TOPICS = ["order.created", "payment.confirmed", "stock.updated"];
const ORDERS = 3;

const { values } = parseArgs({ options: { url: { type: "string", default: "http://localhost:8787" } } });
const url = values.url.replace(/\/$/, "");

try {
  await tell();
} catch (error) {
  console.error(`\nThe story ended early: ${(error as Error).message}`);
  process.exit(1);
}

async function tell(): Promise<void> {
  const session = await findSession();
  const hub = new HubConnection(url, session.key);
  await ask(session, "POST", "/break");
  const live = await LiveEvents.open(url, session.key, TOPICS);

  const { orderIds, last } = await placeOrders(session);
  await readOwnWrite(hub, last);
  await followLive(live, orderIds);
  await drawSequence(session, orderIds[0]!);
  await readLog(hub, orderIds);
  const letters = await watchFulfillmentFail(hub, orderIds);
  await repairAndRedrive(session, hub, letters);
  await balance(hub);
  live.close();
  console.log("\nThat was all of it: nothing lost, nothing twice, and what failed was kept until it could arrive.");
}

/** The page's own session file: it exists in local runs only. */
async function findSession(): Promise<Session> {
  const response = await fetch(`${url}/session.json`).catch(() => null);
  if (response === null) throw new Error(`no hub answers at ${url}. Start one first: npm run dev`);
  if (!response.ok) throw new Error(`the hub at ${url} runs without the example. Start it without --bare: npm run dev`);
  return (await response.json()) as Session;
}

async function ask<Body>({ orders }: Session, method: string, path: string, body?: unknown): Promise<Body> {
  const json = { headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  const response = await fetch(`${orders}${path}`, { method, ...(body !== undefined && json) });
  const answer = (await response.json()) as Body;
  if (!response.ok) throw new Error(`the shop answered ${response.status} to ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

async function placeOrders(session: Session): Promise<{ orderIds: string[]; last: Receipt }> {
  step("Orders are placed by the command Place Order; the order's id is its Idempotency-Key.");
  const commands = Array.from({ length: ORDERS }, (_, index) => makeCommand(index));
  const receipts: Receipt[] = [];
  for (const command of commands) {
    const { receipt } = await ask<{ receipt: Receipt }>(session, "POST", "/orders", command);
    receipts.push(receipt);
    say(`${command.orderId}, € ${command.total.toFixed(2)}: appended to ${receipt.topic} at offset ${receipt.offset}`);
  }
  const [first] = commands;
  const { receipt } = await ask<{ receipt: Receipt }>(session, "POST", "/orders", first);
  if (!receipt.duplicate) throw new Error("the same order was appended twice");
  say(`${first!.orderId} again, as if the answer had been lost: offset ${receipt.offset}, duplicate, nothing appended`);
  return { orderIds: commands.map(({ orderId }) => orderId), last: receipts.at(-1)! };
}

async function readOwnWrite(hub: HubConnection, { topic, offset, cursor }: Receipt): Promise<void> {
  step("Who reads what others make of the events asks first, by the receipt's cursor, whether they are that far:");
  const query = new URLSearchParams({ topic, minCursor: cursor, wait: "5s" });
  const path = `/v1/subscriptions/analytics/settled?${query}`;
  const asked = () => hub.request<{ reached: boolean }>("GET", path);
  await until("Analytics has counted the orders", asked, ({ reached }) => reached);
  say(`Analytics has counted ${topic} up to offset ${offset}, our last order`);
}

function makeCommand(index: number) {
  const products = [PRODUCTS[index % PRODUCTS.length]!, PRODUCTS[(index + 1) % PRODUCTS.length]!];
  const lines = products.map(({ id, price }, position) => ({ id, price, quantity: position + 1 }));
  return {
    orderId: `demo-${randomBytes(3).toString("hex")}`,
    customerId: CUSTOMERS[index % CUSTOMERS.length]!.id,
    items: lines.map(({ id, quantity }) => ({ id, quantity })),
    total: totalOf(lines),
  };
}

async function followLive(live: LiveEvents, orderIds: readonly string[]): Promise<void> {
  step("Payment hears of each order, Inventory of each payment. All of it seen live over one WebSocket:");
  // An order of two products makes four events: order, payment, and the stock of each.
  const ours = () => live.received.filter(({ partitionkey }) => orderIds.includes(partitionkey ?? ""));
  await until(
    "the live events",
    async () => ours().length,
    (count) => count === ORDERS * 4,
  );
  for (const { topic, offset, partitionkey } of ours()) say(`${topic.padEnd(18)} #${offset}  ${partitionkey}`);
}

async function drawSequence(session: Session, orderId: string): Promise<void> {
  step("One of the orders as those who took part saw it, as a Mermaid sequence diagram:");
  const diagram = await until(
    "Notification and Inventory have heard of it",
    async () => (await ask<Record<string, string>>(session, "GET", "/sequences"))[orderId] ?? "",
    (text) => text.includes("Send Notification") && text.includes("Update Inventory"),
  );
  for (const line of diagram.split("\n")) say(line);
}

async function readLog(hub: HubConnection, orderIds: readonly string[]): Promise<void> {
  step("The log is durable: the same events, read back in order by an ordinary GET.");
  for (const topic of TOPICS) {
    const {
      partitionStatus: [log],
    } = await hub.request<TopicReport>("GET", `/v1/topics/${topic}`);
    const { firstOffset, lastOffset } = log!;
    const from = Math.max(firstOffset, lastOffset - 2 * ORDERS + 1);
    const { events } = await hub.request<LogPage>("GET", `/v1/topics/${topic}/events?from=offset:${from}`);
    const ours = events.filter(({ partitionkey }) => orderIds.includes(partitionkey ?? "")).length;
    say(`${topic.padEnd(18)} offsets ${firstOffset}–${lastOffset}; of the last ${events.length}, ${ours} are ours`);
  }
}

async function watchFulfillmentFail(hub: HubConnection, orderIds: readonly string[]): Promise<readonly DeadLetter[]> {
  step("Fulfillment's label printer is broken. Its deliveries are tried three times, then kept as dead letters:");
  const path = "/v1/subscriptions/fulfillment/dead-letters?limit=1000";
  const look = async (): Promise<DeadLetter[]> => {
    const { items } = await hub.request<{ items: DeadLetter[] }>("GET", path);
    return items.filter(({ event }) => orderIds.includes(event.partitionkey));
  };
  const letters = await until("the dead letters", look, (found) => found.length === ORDERS);
  for (const { event, reason, attempts } of letters) {
    say(`${event.partitionkey}  ${reason}`);
    for (const { at, status, durationMs } of attempts) {
      say(`   ${at.slice(11, 23)}  answered ${status} after ${durationMs} ms`);
    }
  }
  say(`The last answer was: ${letters[0]!.attempts.at(-1)!.excerpt}`);
  say("Payment, Inventory, Notification and Analytics never noticed.");
  return letters;
}

async function repairAndRedrive(session: Session, hub: HubConnection, letters: readonly DeadLetter[]): Promise<void> {
  step("Somebody repairs the printer and redrives the dead letters.");
  await ask(session, "POST", "/repair");
  const { matched } = await hub.request<{ matched: number }>(
    "POST",
    "/v1/subscriptions/fulfillment/dead-letters/redrive",
    { all: true },
  );
  say(`${matched} go again`);
  const { stats } = await until(
    "the redriven deliveries",
    () => readSubscription(hub, "fulfillment"),
    ({ stats: { owed, dead, lag } }) => owed + dead + lag === 0,
  );
  const { picked } = await ask<{ picked: string[] }>(session, "GET", "/state");
  const ours = letters.filter(({ event }) => picked.includes(event.partitionkey)).length;
  if (ours !== ORDERS) throw new Error(`only ${ours} of ${ORDERS} orders reached the warehouse`);
  say(`delivered ${stats.delivered}, dead ${stats.dead}; all ${ORDERS} orders are in the warehouse`);
}

async function balance(hub: HubConnection): Promise<void> {
  step("Every ledger balances: matched = delivered + dead + owed + expired + skipped + discarded.");
  for (const name of ["payment", "inventory", "notification", "fulfillment", "analytics"]) {
    const { stats } = await until(
      `${name} has caught up`,
      () => readSubscription(hub, name),
      ({ stats: { owed, lag } }) => owed + lag === 0,
    );
    const { matched, delivered, dead, owed, expired, skipped, discarded } = stats;
    const parts = [delivered, dead, owed, expired, skipped, discarded];
    if (matched !== parts.reduce((sum, part) => sum + part, 0)) throw new Error(`${name} does not balance`);
    say(`${name.padEnd(13)} ${matched} = ${parts.join(" + ")}, lag ${stats.lag}`);
  }
}

function readSubscription(hub: HubConnection, name: string): Promise<Subscription> {
  return hub.request("GET", `/v1/subscriptions/${name}`);
}
