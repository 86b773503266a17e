/**
 * `npm run dev`: the hub, its consumers and the example system in one process tree, with no account and no network.
 * One line says when everything answers; Ctrl-C ends everything.
 */
import { subscribeLoyalty } from "../examples/consumer/subscribe.ts";
import { startChat, type Chat } from "../examples/chat/server.ts";
import { startOrders, type Orders } from "../examples/orders/server.ts";
import { LOYALTY_BINDING, prepareDevConfigs } from "./lib/dev-config.ts";
import { DEV_USAGE, parseDevOptions, type DevOptions } from "./lib/dev-options.ts";
import { prepareDemoPage, type DemoSession } from "./lib/demo-page.ts";
import { migrateLocally, readMigrationState } from "./lib/local-migrations.ts";
import { startLocalHub, type LocalHub } from "./lib/local-hub.ts";
import { isPortFree } from "./lib/ports.ts";

const CRON_MS = 60_000;

const options = parseDevOptions(process.argv.slice(2), process.env, process.cwd());
if (typeof options === "string") fail(`${options}\n\n${DEV_USAGE}`);
if (!(await isPortFree(options.port))) {
  fail(`Port ${options.port} is in use: stop what runs there, or choose another with --port N.`);
}

const stops: (() => Promise<void>)[] = [];
let stopping = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void stopAll(0));

try {
  await run(options);
} catch (error) {
  console.error(`Could not start: ${(error as Error).message}`);
  await stopAll(1);
}

async function run(dev: DevOptions): Promise<void> {
  // A database that is being read must not change under its reader; one that is not there yet has none.
  const state = readMigrationState(dev.persistTo);
  if (state === "behind") await migrateLocally(dev.persistTo);
  const examples = dev.bare ? null : await startExamples(dev);
  const configs = prepareDevConfigs(dev.port, examples !== null, dev.consumers);
  const assets = examples === null ? null : await prepareDemoPage(dev.port, addressesOf(dev, examples));
  const hub = await startLocalHub(dev, { assets, configs: configs.paths });
  stops.push(async () => configs.remove());
  stops.push(() => hub.stop());
  void hub.ended.then(() => sayThatHubEnded());
  await Promise.all([hub.ready, state === "absent" ? migrateLocally(dev.persistTo) : null]);

  pokeCron(dev, hub);
  if (examples !== null) {
    await Promise.all([examples.orders.subscribe(), subscribeLoyalty(hubOf(dev), LOYALTY_BINDING)]);
  }
  await expectPage(dev);
  if (!stopping) announce(dev);
}

function hubOf(dev: DevOptions): { hub: string; key: string } {
  return { hub: `http://127.0.0.1:${dev.port}`, key: dev.rootKey };
}

interface Examples {
  readonly orders: Orders;
  readonly chat: Chat;
}

async function startExamples(dev: DevOptions): Promise<Examples> {
  const [orders, chat] = await Promise.all([startOrders(hubOf(dev)), startChat(hubOf(dev))]);
  stops.push(
    () => orders.close(),
    () => chat.close(),
  );
  return { orders, chat };
}

function addressesOf({ rootKey }: DevOptions, { orders, chat }: Examples): DemoSession {
  return { key: rootKey, orders: orders.url, chat: chat.url };
}

/** Local runs have no scheduler; production runs the cron every minute. */
function pokeCron(dev: DevOptions, hub: LocalHub): void {
  const timer = setInterval(() => {
    fetch(`http://127.0.0.1:${dev.port}/cdn-cgi/local/scheduled`).catch((error: Error) => {
      if (!stopping) console.error(`The cron could not be run: ${error.message}`);
    });
  }, CRON_MS);
  void hub.ended.then(() => clearInterval(timer));
}

async function expectPage(dev: DevOptions): Promise<void> {
  const { status } = await fetch(`http://127.0.0.1:${dev.port}/`);
  if (status !== 200) throw new Error(`the page answered ${status}`);
}

function announce(dev: DevOptions): void {
  console.log(`Ready on http://localhost:${dev.port}`);
  if (dev.bare) return;
  console.log("  That page places orders and shows the live log, the subscriptions and the dead letters.");
  console.log("  /chat/ beside it is a chat room: open it in two windows.");
  console.log("  npm run demo tells the whole story in another terminal. Ctrl-C stops everything.");
  if (dev.rootKeyIsOurs) console.log(`  The root key is ${dev.rootKey}.`);
}

function sayThatHubEnded(): void {
  if (stopping) return;
  console.error("The hub has ended unexpectedly; what it said last stands above.");
  void stopAll(1);
}

async function stopAll(code: number): Promise<void> {
  // One Ctrl-C arrives twice, from the terminal and from npm; each stop has a deadline of its own.
  if (stopping) return;
  stopping = true;
  await Promise.allSettled(stops.map((stop) => stop()));
  process.exit(code);
}

function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}
