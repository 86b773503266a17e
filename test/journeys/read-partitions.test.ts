import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Hub, type Page } from "../harness/hub.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const publishTo = (topic: string, partition: number, numbers: readonly number[]) =>
  hub.json(
    "POST",
    `/v1/topics/${topic}/events?partition=${partition}`,
    numbers.map((data) => ({ type: "n", data })),
  );
const upTo = (length: number): number[] => Array.from({ length }, (_, index) => index + 1);

async function follow(topic: string, first: Page, limit: number): Promise<Page[]> {
  const pages = [first];
  while (!pages.at(-1)!.caughtUp) pages.push(await hub.read(topic, { limit, from: `cursor:${pages.at(-1)!.cursor}` }));
  return pages;
}

it.each(["time", "latest"] as const)("[RD-2] a cursor after from=%s never goes back behind it", async (kind) => {
  const topic = `parted-${kind}`;
  await hub.json("PUT", `/v1/topics/${topic}`, { partitions: 4 });
  for (const partition of [0, 1, 2, 3]) await publishTo(topic, partition, [-1, -2]);
  const { events } = await hub.read(topic);
  const newest = Math.max(...events.map(({ appendedat }) => Date.parse(String(appendedat))));
  const from = kind === "latest" ? "latest" : `time:${new Date(newest + 1).toISOString()}`;
  const first = await hub.read(topic, { limit: 1, from });
  for (const partition of [0, 1, 2, 3]) await publishTo(topic, partition, [1, 2]);
  const pages = [
    first,
    ...(await follow(topic, await hub.read(topic, { limit: 1, from: `cursor:${first.cursor}` }), 1)),
  ];
  expect(pages.flatMap((page) => page.events.map(({ data }) => data)).toSorted()).toEqual([1, 1, 1, 1, 2, 2, 2, 2]);
});

it("[RD-5] tells the gap of every partition, a page each, and skips nothing that is held", async () => {
  await hub.json("PUT", "/v1/topics/gaps", { partitions: 3 });
  for (const partition of [0, 1, 2]) await publishTo("gaps", partition, [1]);
  const { cursor } = await hub.read("gaps");
  for (const partition of [0, 1, 2]) await publishTo("gaps", partition, upTo(12));
  await hub.json("PUT", "/v1/topics/gaps", { partitions: 3, retention: { maxEvents: 5 } });
  const held = async (): Promise<number> => (await hub.read("gaps", { limit: 100 })).events.length;
  await expect.poll(held, { timeout: 10_000 }).toBe(15);

  const pages = await follow("gaps", await hub.read("gaps", { limit: 100, from: `cursor:${cursor}` }), 100);
  expect(pages.flatMap(({ gap }) => (gap === undefined ? [] : [gap.partition])).toSorted()).toEqual([0, 1, 2]);
  const seen = pages.flatMap(({ events }) => events.map(({ partition, offset }) => `${partition}/${offset}`));
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen).toHaveLength(15);
});
