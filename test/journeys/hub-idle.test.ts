/** A thousand sockets that say nothing but pings for a minute. What wakes says so (watched-hub.ts). */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { hubName, objectName } from "../../src/core/keys.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { hubPlaceOf } from "../builders/hub-place.ts";
import { Crowd } from "../harness/crowd.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { TestSocket } from "../harness/socket.ts";
import { pause } from "../harness/wait.ts";

const TOPIC = "quiet";
const LOG = objectName("log", "app_default", TOPIC, 0);
const hubOf = (shard: number): string => hubName(hubPlaceOf("app_default", shard));
const PING_EVERY_MS = 10_000;
const PING_ROUNDS = 6;
/** By then the alarm that stands after activity has gone off. */
const LOG_ALARM_MS = LIMITS.TELL_AGAIN_MS + 3_000;

const residentKilobytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);

/** Harmless where it sleeps already. */
const putToSleep = (hub: Hub, className: string, name: string): Promise<void> =>
  hub.evict(className, name).catch((error: unknown) => {
    if (!String(error).includes("not currently running")) throw error;
  });

const wakes = (hub: Hub): unknown[] =>
  hub.logs.filter(({ stage }) => stage === "test.woke").map(({ object }) => object);

it("[HUB-10] 1,000 idle sockets over two hubs wake nothing with a minute of pings, and nothing they follow is lost", async () => {
  const hub = await startHub({ vars: { HUB_SOCKETS_PLAN: "501" }, entry: "test/harness/watched-hub.ts" });
  await hub.json("PUT", `/v1/topics/${TOPIC}`, {});
  const bare = residentKilobytes(hub.runtimePid);
  const crowd = await Crowd.open(1_000, { url: hub.url, token: ROOT_KEY, topic: TOPIC });
  const grown = residentKilobytes(hub.runtimePid) - bare;
  const grant = { scopes: ["subscribe:**"], user: { id: "ada" } };
  const { body } = await hub.json<{ token: string }>("POST", "/v1/tokens", grant);
  const choosy = await TestSocket.open(`${hub.url.replace("http", "ws")}/v1/connect?token=${body.token}`);
  await choosy.subscribe(TOPIC, { filter: { type: ["wanted"] } });
  await pause(LOG_ALARM_MS);
  for (const shard of [0, 1]) await putToSleep(hub, "ChannelHub", hubOf(shard));
  await putToSleep(hub, "TopicLog", LOG);

  const before = wakes(hub).length;
  for (let round = 0; round < PING_ROUNDS; round += 1) {
    choosy.send('{"op":"ping"}');
    await Promise.all([...crowd.members.map((member) => member.heard()), pause(PING_EVERY_MS)]);
  }
  await choosy.until((messages) => messages.filter(({ op }) => op === "pong").length === PING_ROUNDS, "every pong");
  expect(wakes(hub).slice(before)).toEqual([]);

  await hub.publish(TOPIC, [{ type: "unwanted" }, { type: "wanted" }]);
  await crowd.reached(2, 60_000);
  // Such a line does come when something wakes.
  expect(wakes(hub).slice(before)).toEqual(expect.arrayContaining([hubOf(0), hubOf(1), LOG]));
  expect(crowd.wrong).toEqual([]);
  expect((await hub.json("POST", "/v1/users/ada/events", { type: "greeting" })).body).toEqual({ connections: 1 });
  await choosy.message(({ op }) => op === "user_event", "what was sent to the user");
  expect(choosy.events().map(({ type }) => type)).toEqual(["wanted"]);
  console.log(`an idle socket takes ${Math.round(grown / 1_000)} KB of the runtime's resident memory`);
  crowd.close();
  await hub.close();
}, 300_000);
