import type Pusher from "pusher-js";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { objectName } from "../../src/core/keys.ts";
import { makePusherKey, PusherApp, pusherServer, signIn as signInAs } from "../builders/pusher.ts";
import { RawPusher } from "../builders/raw-pusher.ts";
import { CuttableProxy } from "../harness/cuttable-proxy.ts";
import { startHub } from "../harness/hub.ts";
import { seededRandom } from "../harness/random.ts";
import { eventually } from "../harness/wait.ts";

let app: PusherApp;

const SHARD = (shard: number): string => objectName("hub", "app_default", "pusher", "any", shard);

beforeAll(async () => {
  app = await PusherApp.open({ vars: { HUB_SOCKETS_PLAN: "2" } });
});
afterEach(() => app.leave());
afterAll(() => app.close());

/** What a client hears of its watchlist, in order: `online ann,bob`. */
interface Watcher {
  readonly client: Pusher;
  readonly said: string[];
}

async function signIn(id: string, watchlist: string[] = [], more: object = {}): Promise<Watcher> {
  const client = app.client({ user: { id, watchlist } }, more);
  const said: string[] = [];
  client.user.watchlist.bind_global((name: string, event: { user_ids: string[] }) => {
    said.push(`${name} ${event.user_ids.join()}`);
  });
  await signInAs(client);
  return { client, said };
}

async function rawSignIn(id: string, watchlist: string[] = []): Promise<RawPusher> {
  const raw = await RawPusher.open(app.hub, app.key.key);
  app.keep({ disconnect: () => raw.close() });
  await raw.signIn(app.server, { id, watchlist });
  return raw;
}

/** What sleeps already cannot be evicted. */
async function evictAwake(className: string): Promise<void> {
  for (const id of await app.hub.objectIds(className)) await app.hub.evict(className, { id }).catch(() => undefined);
}

const hears = ({ said }: { readonly said: readonly string[] }, expected: readonly string[]): Promise<unknown> =>
  eventually(
    () => said,
    () => said.length >= expected.length,
    expected.join("; "),
  ).then(() => expect(said).toEqual(expected));

it("[PUS-23] a watcher learns who of its list is online, and a user with two tabs goes with the last", async () => {
  const one = await signIn("watcher-1", ["ann", "bob"]);
  await hears(one, ["offline ann,bob"]);
  const tab = await signIn("ann");
  await hears(one, ["offline ann,bob", "online ann"]);
  const two = await signIn("watcher-2", ["ann", "cat"]);
  await hears(two, ["online ann", "offline cat"]);
  const otherTab = await signIn("ann");
  const bob = await signIn("bob");
  tab.client.disconnect();
  bob.client.disconnect(); // Behind the tab, so who leaves with it would be told before him.
  const first = ["offline ann,bob", "online ann", "online bob", "offline bob"];
  await hears(one, first);
  otherTab.client.disconnect();
  await hears(one, [...first, "offline ann"]);
  await hears(two, ["online ann", "offline cat", "offline ann"]);
});

it("[PUS-23] who watches itself is online, and who comes to be watched by many is told to each once", async () => {
  const self = await rawSignIn("self", ["self"]);
  await self.untilWatched(["online self"]);
  const watchers = await Promise.all(["w1", "w2", "w3"].map((id) => rawSignIn(id, ["star"])));
  for (const each of watchers) await each.untilWatched(["offline star"]);
  const star = await signIn("star");
  for (const each of watchers) await each.untilWatched(["offline star", "online star"]);
  star.client.disconnect();
  for (const each of watchers) {
    await each.untilWatched(["offline star", "online star", "offline star"]);
    expect(each.watched).toEqual(["offline star", "online star", "offline star"]);
  }
  expect(self.watched).toEqual(["online self"]);
});

it("[PUS-23] a connection that breaks and does not come back is offline after a while", async () => {
  const watcher = await signIn("watcher", ["dan"]);
  await hears(watcher, ["offline dan"]);
  const proxy = await CuttableProxy.open(app.hub.url);
  const dan = await signIn("dan", [], { wsPort: Number(new URL(proxy.url).port) });
  await hears(watcher, ["offline dan", "online dan"]);
  proxy.cut();
  await hears(watcher, ["offline dan", "online dan", "offline dan"]);
  dan.client.disconnect();
  await proxy.close();
});

it("[PUS-23] hubs and rooms that were thrown out of memory know who is online and who watches", async () => {
  const watcher = await signIn("watcher", ["eve", "fay"]);
  const eve = await signIn("eve");
  await hears(watcher, ["offline eve,fay", "online eve"]);
  await evictAwake("ChannelHub");
  await evictAwake("PresenceRoom");
  const fay = await signIn("fay");
  await hears(watcher, ["offline eve,fay", "online eve", "online fay"]);
  const late = await signIn("late", ["eve", "fay", "gus"]);
  await hears(late, ["online eve,fay", "offline gus"]);
  await evictAwake("PresenceRoom");
  await evictAwake("ChannelHub");
  eve.client.disconnect();
  fay.client.disconnect();
  await eventually(
    () => [watcher.said.slice(3), late.said.slice(2)],
    (said) => said.every((each) => each.length >= 2),
    "both are offline",
  );
  for (const said of [watcher.said.slice(3), late.said.slice(2)])
    expect(said.toSorted()).toEqual(["offline eve", "offline fay"]);
});

const STEPS = 60;
const SEED = Number(process.env["WATCHLIST_SEED"] ?? Math.trunc(Math.random() * 1_000_000));

it(`[PUS-23] watchers agree with the truth after ${STEPS} steps by chance, and hear each turn once (seed ${SEED})`, async () => {
  const random = seededRandom(SEED);
  const users = ["u0", "u1", "u2"];
  const watchers = [await rawSignIn("w0", users), await rawSignIn("w1", users)];
  let tabs: { readonly user: string; readonly raw: RawPusher }[] = [];
  for (let step = 0; step < STEPS; step += 1) {
    const dice = random();
    const one = Math.trunc(random() * tabs.length);
    if (dice < 0.45 || tabs.length === 0) {
      const user = users[Math.trunc(random() * users.length)]!;
      tabs.push({ user, raw: await rawSignIn(user) });
    } else if (dice < 0.85) {
      tabs[one]!.raw.close();
      tabs = tabs.filter((_tab, index) => index !== one);
    } else if (dice < 0.9) watchers.push(await rawSignIn(`w${step}`, users));
    else await evictAwake(dice < 0.95 ? "ChannelHub" : "PresenceRoom");
  }
  const truth = users.map((user) => (tabs.some((tab) => tab.user === user) ? "online" : "offline"));
  for (const watcher of watchers) {
    const turnsOf = (user: string): string[] =>
      watcher.watched
        .filter((said) => said.split(" ")[1]!.split(",").includes(user))
        .map((said) => said.split(" ")[0]!);
    await eventually(
      () => users.map((user) => turnsOf(user).at(-1)),
      (last) => last.join() === truth.join(),
      truth.join(),
    );
    for (const turns of users.map(turnsOf))
      for (const [at, turn] of turns.entries()) expect(turn).not.toBe(turns[at + 1]);
  }
});

it("[PUS-23] a list that is too long is cut, and its user told; another list takes its place", async () => {
  const raw = await rawSignIn(
    "many",
    Array.from({ length: 101 }, (_, index) => `user-${index}`),
  );
  expect(await raw.of("pusher:error")).toMatchObject([{ code: 4302 }]);
  const first = Array.from({ length: 100 }, (_, index) => `user-${index}`).join();
  await raw.untilWatched([`offline ${first}`]);
  expect(raw.watched).toEqual([`offline ${first}`]);
  await raw.signIn(app.server, { id: "many", watchlist: ["hal", "", 7 as never] }, 2);
  await raw.untilWatched([`offline ${first}`, "offline hal"]);
  await signIn("user-0");
  await signIn("hal");
  await raw.untilWatched([`offline ${first}`, "offline hal", "online hal"]);
  expect(raw.watched).toEqual([`offline ${first}`, "offline hal", "online hal"]);
});

it("[PUS-23] whose user is revoked is offline, and nobody leaves by unsubscribing from itself", async () => {
  const watcher = await rawSignIn("watcher", ["ida"]);
  const ida = await rawSignIn("ida");
  await watcher.untilWatched(["offline ida", "online ida"]);
  ida.send("pusher:unsubscribe", { channel: "#ida" });
  ida.send("pusher:unsubscribe", { channel: "#server-to-user-ida" });
  ida.send("pusher:ping", {});
  await ida.of("pusher:pong");
  const late = await rawSignIn("late", ["ida"]);
  await late.untilWatched(["online ida"]);
  await app.hub.json("POST", "/v1/revocations", { user: "ida" });
  await watcher.untilWatched(["offline ida", "online ida", "offline ida"]);
  expect([watcher.watched, late.watched]).toEqual([
    ["offline ida", "online ida", "offline ida"],
    ["online ida", "offline ida"],
  ]);
});

it("[PUS-24] who is only signed in wakes nobody for five minutes", async () => {
  const watcher = await rawSignIn("watcher", ["kim"]);
  await rawSignIn("kim");
  await watcher.untilWatched(["offline kim", "online kim"]);
  const occupied = async (): Promise<{ readonly shard: number; readonly users: number }[]> => {
    const { body } = await app.hub.json<{ hubs: { shard: number; users: number }[] }>("GET", "/v1/connections");
    return body.hubs.filter(({ users }) => users > 0);
  };
  // Those of the test before may still be closing.
  const areTwo = (hubs: readonly { readonly users: number }[]): boolean =>
    hubs.reduce((sum, { users }) => sum + users, 0) === 2;
  for (const { shard } of await eventually(occupied, areTwo, "two users")) {
    const looks = await app.hub.rows("ChannelHub", SHARD(shard), "SELECT look_at AS at FROM silence_looks");
    expect((looks[0] as { at: number }).at - Date.now()).toBeGreaterThan(200_000);
  }
});

it("[PUS-24] who falls silent, and whose hub is lost with nobody coming back to it, is offline when its hub looks", async () => {
  const quick = await startHub({ vars: { HUB_SOCKETS_PLAN: "1", PRESENCE_SILENCE_MS: "1000" } }); // A look: 10 s.
  const made = await makePusherKey(quick);
  const library = pusherServer(quick, made);
  const [watcher, silent, lost] = [
    await RawPusher.open(quick, made.key),
    await RawPusher.open(quick, made.key),
    await RawPusher.open(quick, made.key),
  ];
  const pinging = setInterval(() => watcher.send("pusher:ping", {}), 200);
  await silent.signIn(library, { id: "silent" });
  await lost.signIn(library, { id: "lost" });
  await watcher.signIn(library, { id: "watcher", watchlist: ["silent", "lost"] });
  await watcher.untilWatched(["online silent,lost"]);
  await quick.drop("ChannelHub", SHARD(2));
  await lost.closed();
  await watcher.untilWatched(["online silent,lost", "offline", "offline"]);
  expect(watcher.watched.slice(1).toSorted()).toEqual(["offline lost", "offline silent"]);
  expect(await silent.closed()).toBe(4_201);
  clearInterval(pinging);
  await quick.close();
});
