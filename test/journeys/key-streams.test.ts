/** Event sourcing without commands: a key's stream, its version, and writes on the condition of it. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Hub, type Page } from "../harness/hub.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const append = async (topic: string, key: string, expectedKeyVersion?: unknown) => {
  const draft = { type: "t", key, ...(expectedKeyVersion !== undefined && { expectedKeyVersion }) };
  const { status, body } = await hub.publish(topic, draft);
  return status === 201 ? body.events[0]!.keyVersion : (body as unknown as { code: string; actual?: number });
};

it("[ES-1] a key's stream is read in order, with the key's version, over partitions and pages", async () => {
  await hub.json("PUT", "/v1/topics/streams", { index: "key", partitions: 4 });
  for (let round = 0; round < 3; round += 1) for (const key of ["a", "b", "c"]) await append("streams", key);
  const read = (query: Record<string, string | number>) =>
    hub.read("streams", query) as Promise<Page & { keyVersion?: number }>;
  const whole = await read({ key: "b" });
  expect(whole.events.map(({ partitionkey, keyversion }) => [partitionkey, keyversion])).toEqual([
    ["b", 1],
    ["b", 2],
    ["b", 3],
  ]);
  expect(whole.keyVersion).toBe(3);
  const first = await read({ key: "b", limit: 2 });
  expect([first.events.length, first.keyVersion]).toEqual([2, 3]);
  const rest = await read({ key: "b", from: `cursor:${first.cursor}` });
  expect([rest.events.map(({ keyversion }) => keyversion), rest.keyVersion]).toEqual([[3], 3]);
  expect(await read({ key: "nobody" })).toMatchObject({ events: [], keyVersion: 0 });
  expect(await read({})).not.toHaveProperty("keyVersion");
});

it("[ES-1] a key's version outlives its events", async () => {
  await hub.json("PUT", "/v1/topics/short", { index: "key", retention: { maxEvents: 1 } });
  for (let round = 0; round < 4; round += 1) await append("short", "a");
  await append("short", "b");
  const page = (await hub.read("short", { key: "a" })) as Page & { keyVersion?: number };
  expect(page.keyVersion).toBe(4);
  expect(await append("short", "a", 4)).toBe(5);
});

it("[ES-2] a write may ask for no stream, for one that exists, or for an exact version", async () => {
  await hub.json("PUT", "/v1/topics/asked", { index: "key" });
  expect(await append("asked", "a", "exists")).toMatchObject({ code: "version_conflict", actual: 0 });
  expect(await append("asked", "a", "noStream")).toBe(1);
  expect(await append("asked", "a", "noStream")).toMatchObject({ code: "version_conflict", actual: 1 });
  expect(await append("asked", "a", 0)).toMatchObject({ code: "version_conflict" });
  expect(await append("asked", "a", "exists")).toBe(2);
  expect(await append("asked", "a", 2)).toBe(3);
  expect(await append("asked", "a")).toBe(4);
  expect(await append("asked", "a", "any")).toMatchObject({ code: "event_invalid" });
});

it("[ES-2] a first publish that asks for a stream that exists makes no topic", async () => {
  expect(await append("unborn", "a", "exists")).toMatchObject({ code: "version_conflict", actual: 0 });
  expect((await hub.json("GET", "/v1/topics/unborn")).status).toBe(404);
});
