/** One topic over many hubs, at the size that it is promised for. */
import { expect, it } from "vitest";
import { hubName } from "../../src/core/keys.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { hubPlaceOf } from "../builders/hub-place.ts";
import { Crowd } from "../harness/crowd.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";
import type { PushedLine } from "../harness/watched-hub.ts";

const TOPIC = "hot";
const PATIENCE_MS = 200_000;

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** So many publishes of so many events, from several publishers at once. */
async function publishAll(hub: Hub, publishes: number, events: number, data: string): Promise<void> {
  const draft = { type: "t", data };
  let left = publishes;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const { status } = await hub.publish(
        TOPIC,
        Array.from({ length: events }, () => draft),
      );
      if (status !== 201) throw new Error(`a publish answered ${status}`);
    }
  };
  await Promise.all(Array.from({ length: 10 }, lane));
}

/** Each until it is acknowledged, under an id of its own, whatever happens to the hub meanwhile. */
async function publishThrough(hub: Hub, count: number): Promise<void> {
  let left = count;
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      const draft = { id: `through-${left}`, type: "t", data: "through the loss" };
      const status = () =>
        hub.publish(TOPIC, draft).then(
          (answer) => answer.status,
          () => "the hub is away",
        );
      await eventually(status, (answer) => answer === 201, "a publish");
    }
  };
  await Promise.all(Array.from({ length: 10 }, lane));
}

const hubOf = (shard: number): string => hubName(hubPlaceOf("app_default", shard));

it("[HUB-8] 3,000 sockets over three hubs see one order through the loss of a hub, and each hub is told once", async () => {
  const hub = await startHub({ vars: { HUB_SOCKETS_PLAN: "1000" }, entry: "test/harness/watched-hub.ts" });
  await hub.json("PUT", `/v1/topics/${TOPIC}`, {});
  const begun = performance.now();
  const crowd = await Crowd.open(3_000, { url: hub.url, token: ROOT_KEY, topic: TOPIC });
  const opened = performance.now();
  await publishAll(hub, 150, 1, "first half");
  await Promise.all([publishAll(hub, 150, 1, "second half"), hub.drop("ChannelHub", hubOf(1))]);
  await crowd.reached(300, PATIENCE_MS);
  const done = performance.now();

  expect(crowd.wrong).toEqual([]);
  expect(crowd.members.map(({ last }) => last)).toEqual(crowd.members.map(() => 300));
  const cutOff = crowd.members.filter(({ ends }) => ends > 0).length;
  expect(cutOff).toBe(1_000);
  const told = (shard: number): readonly number[] =>
    (hub.logs as unknown as PushedLine[])
      .filter((line) => line.stage === "test.pushed" && line.hub === hubOf(shard))
      .flatMap(({ offsets }) => offsets);
  for (const shard of [0, 2]) expect(told(shard)).toEqual(upTo(300));
  expect(new Set(told(1)).size).toBe(told(1).length);
  console.log(
    `3,000 sockets opened in ${Math.round(opened - begun)} ms; 300 events reached all, ${cutOff} of them cut off, ` +
      `${Math.round(done - opened)} ms after the first publish`,
  );
  crowd.close();
  await hub.close();
}, 400_000);

it("[HUB-11] 300 sockets over three hubs see one order through a kill -9 of all of them, each event once", async () => {
  const hub = await startHub({ vars: { HUB_SOCKETS_PLAN: "100" } });
  await hub.json("PUT", `/v1/topics/${TOPIC}`, {});
  const crowd = await Crowd.open(300, { url: hub.url, token: ROOT_KEY, topic: TOPIC });
  await publishAll(hub, 20, 1, "before it");
  const killedAt = performance.now();
  await Promise.all([publishThrough(hub, 40), hub.killRuntime()]);
  await crowd.reached(60, PATIENCE_MS);
  console.log(`300 sockets were level ${Math.round(performance.now() - killedAt)} ms after the runtime was killed`);

  expect(crowd.wrong).toEqual([]);
  expect(crowd.members.filter(({ last, ends }) => last === 60 && ends > 0)).toHaveLength(300);
  const ids = (await hub.readAll(TOPIC)).map(({ id }) => id);
  expect([ids.length, new Set(ids).size]).toEqual([60, 60]);
  crowd.close();
  await hub.close();
}, 400_000);

it("[HUB-9] 20 stalled readers hold no more than their windows, and 200 beside them miss nothing", async () => {
  const hub = await startHub();
  await hub.json("PUT", `/v1/topics/${TOPIC}`, {});
  const options = { url: hub.url, token: ROOT_KEY, topic: TOPIC };
  const healthy = await Crowd.open(200, { ...options, ackBytes: LIMITS.ACK_WINDOW_BYTES / 4 });
  const stalled = await Crowd.open(20, options);
  for (const member of stalled.members) member.stall();
  await publishAll(hub, 30, 20, "x".repeat(4_000)); // 2.4 MB, more than two windows.
  await healthy.reached(600, PATIENCE_MS);

  for (const member of stalled.members) member.resume();
  await Promise.all(stalled.members.map((member) => member.heard()));
  for (const { last, unacknowledgedBytes } of stalled.members) {
    expect(last).toBeGreaterThan(0);
    expect(unacknowledgedBytes).toBeLessThanOrEqual(LIMITS.ACK_WINDOW_BYTES + LARGEST_FRAME_BYTES);
  }
  while (stalled.members.some(({ last }) => last < 600)) {
    for (const member of stalled.members) member.acknowledge();
    await Promise.all(stalled.members.map((member) => member.heard()));
  }
  expect([healthy.wrong, stalled.wrong]).toEqual([[], []]);
  healthy.close();
  stalled.close();
  await hub.close();
}, 400_000);

/** The window may be passed by its last frame. */
const LARGEST_FRAME_BYTES = 64 * 1_024 + 8_192;
