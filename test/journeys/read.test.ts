import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Hub, type Page } from "../harness/hub.ts";
import type { WireEvent } from "../harness/socket.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const upTo = (count: number, first = 1): number[] => Array.from({ length: count }, (_, index) => first + index);
const drafts = (count: number, more: (index: number) => object = () => ({})) =>
  upTo(count).map((data, index) => ({ type: "t", data, ...more(index) }));
const offsetsOf = (page: { readonly events: readonly WireEvent[] }): number[] =>
  page.events.map(({ offset }) => offset);

/** Every page of a query, from its first to the one that has caught up. */
async function pagesOf(topic: string, query: Record<string, string | number>): Promise<Page[]> {
  const pages = [await hub.read(topic, query)];
  for (let last = pages[0]!; !last.caughtUp; last = pages.at(-1)!) {
    pages.push(await hub.read(topic, { ...query, from: `cursor:${last.cursor}` }));
  }
  return pages;
}

describe("pages", () => {
  it("[RD-1] begin at the earliest by default, and give every event once however they are cut", async () => {
    await hub.publish("paged", drafts(230));
    for (const limit of [1_000, 100, 37]) {
      const pages = await pagesOf("paged", { limit });
      expect(pages.flatMap(offsetsOf)).toEqual(upTo(230));
      expect(pages).toHaveLength(Math.ceil(230 / limit));
    }
    expect(offsetsOf(await hub.read("paged"))).toEqual(upTo(100));
  });

  it("[RD-1] begin where `from` says, an offset's own event included", async () => {
    await hub.publish("placed", drafts(5));
    const later = new Date(Date.now() + 2).toISOString();
    while (Date.now() < Date.parse(later)) await hub.json("GET", "/healthz");
    await hub.publish("placed", drafts(3));
    const from = async (position: string) => offsetsOf(await hub.read("placed", { from: position }));
    expect(await from("earliest")).toEqual(upTo(8));
    expect(await from("latest")).toEqual([]);
    expect(await from("offset:7")).toEqual([7, 8]);
    expect(await from(`time:${later}`)).toEqual([6, 7, 8]);
    const latest = await hub.read("placed", { from: "latest" });
    await hub.publish("placed", drafts(1));
    expect(await from(`cursor:${latest.cursor}`)).toEqual([9]);
  });

  it("[RD-2] over several partitions give each event once and each partition in order, with one cursor", async () => {
    await hub.json("PUT", "/v1/topics/wide", { partitions: 7 });
    const keyed = drafts(200, (index) => ({ key: `k${index}` }));
    for (let round = 0; round < 3; round += 1) await hub.publish("wide", keyed);
    for (const limit of [1_000, 50, 3]) {
      const events = (await pagesOf("wide", { limit })).flatMap((page) => page.events);
      expect(events).toHaveLength(600);
      const byPartition = Map.groupBy(events, ({ partition }) => partition);
      expect(byPartition.size).toBe(7);
      for (const inOne of byPartition.values()) expect(inOne.map(({ offset }) => offset)).toEqual(upTo(inOne.length));
    }
    const one = await pagesOf("wide", { limit: 20, partition: 3 });
    expect(new Set(one.flatMap((page) => page.events.map(({ partition }) => partition)))).toEqual(new Set([3]));
  });

  it("[RD-3] end at four megabytes, one partition or many", async () => {
    for (const [topic, partitions] of [
      ["heavy", 1],
      ["heavy-wide", 8],
    ] as const) {
      await hub.json("PUT", `/v1/topics/${topic}`, { partitions });
      for (let round = 0; round < 12; round += 1) {
        await hub.publish(
          topic,
          drafts(4, (index) => ({ key: `k${round * 4 + index}`, data: "x".repeat(200_000) })),
        );
      }
      const answer = await hub.request(`/v1/topics/${topic}/events?limit=1000`);
      const text = await answer.text();
      expect(text.length, topic).toBeLessThan(6 * 1_048_576);
      expect(JSON.parse(text)).toMatchObject({ caughtUp: false });
      expect((await pagesOf(topic, { limit: 1_000 })).flatMap((page) => page.events)).toHaveLength(48);
    }
  });

  it("[RD-4] hold only what type, key and filter let through, and still move on", async () => {
    await hub.json("PUT", "/v1/topics/thin", { index: "key" });
    const more = (index: number) => ({ type: `t${index % 4}`, key: `k${index % 3}`, data: { n: index % 5 } });
    await hub.publish("thin", drafts(240, more));
    const seen = async (query: Record<string, string | number>) => (await pagesOf("thin", query)).flatMap(offsetsOf);
    const expected = (test: (index: number) => boolean) => upTo(240).filter((offset) => test(offset - 1));
    expect(await seen({ type: "t1" })).toEqual(expected((index) => index % 4 === 1));
    expect(await seen({ key: "k2", limit: 7 })).toEqual(expected((index) => index % 3 === 2));
    expect(await seen({ key: "k2", type: "t1" })).toEqual(expected((index) => index % 3 === 2 && index % 4 === 1));
    expect(await seen({ filter: '{"data":{"n":[1,2]}}', limit: 10 })).toEqual(
      expected((index) => [1, 2].includes(index % 5)),
    );
    expect(await seen({ filter: '{"type":["t0"],"data":{"n":[0]}}' })).toEqual(expected((index) => index % 20 === 0));
    const page = await hub.read("thin", { type: "nobody" });
    expect(page).toMatchObject({ events: [], caughtUp: true });
    await hub.publish("thin", { type: "nobody" });
    expect(offsetsOf(await hub.read("thin", { type: "nobody", from: `cursor:${page.cursor}` }))).toEqual([241]);
  });

  it("[RD-5] say what is missing instead of skipping it", async () => {
    await hub.publish("missing", drafts(3));
    const { cursor } = await hub.read("missing");
    expect((await hub.read("missing", { from: "offset:9" })).gap).toEqual({
      partition: 0,
      requested: 9,
      firstHeld: 1,
      reason: "ahead",
    });
    await hub.json("DELETE", "/v1/topics/missing");
    await hub.publish("missing", drafts(2));
    const page = await hub.read("missing", { from: `cursor:${cursor}` });
    expect(page.gap).toMatchObject({ reason: "epoch", firstHeld: 1 });
    expect(offsetsOf(page)).toEqual([1, 2]);
    expect((await hub.read("missing", { from: `cursor:${page.cursor}` })).gap).toBeUndefined();
  });
});

describe("long polls", () => {
  it("[RD-6] answer at once with what is there", async () => {
    await hub.publish("polled", drafts(2));
    expect(offsetsOf(await hub.read("polled", { wait: "30s" }))).toEqual([1, 2]);
  });

  it("[RD-6] answer soon after the first event that fits, and not for others", async () => {
    await hub.publish("waited", drafts(1));
    const { cursor } = await hub.read("waited");
    const asked = hub.read("waited", { from: `cursor:${cursor}`, wait: "20s", filter: '{"type":["wanted"]}' });
    await hub.publish("waited", { type: "other" });
    await hub.publish("waited", { type: "other" });
    const before = performance.now();
    await hub.publish("waited", { type: "wanted" });
    const page = await asked;
    expect(performance.now() - before).toBeLessThan(3_000);
    expect(offsetsOf(page)).toEqual([4]);
    expect(page.caughtUp).toBe(true);
  });

  it("[RD-6] answer with an empty page when nothing came, and its cursor goes on", async () => {
    await hub.publish("quiet", drafts(1));
    const { cursor } = await hub.read("quiet");
    const before = performance.now();
    const page = await hub.read("quiet", { from: `cursor:${cursor}`, wait: "500ms" });
    expect(performance.now() - before).toBeGreaterThanOrEqual(490);
    expect(page).toMatchObject({ events: [], caughtUp: true });
    await hub.publish("quiet", drafts(1));
    expect(offsetsOf(await hub.read("quiet", { from: `cursor:${page.cursor}` }))).toEqual([2]);
  });

  it("[RD-6] make the topic that they wait for, as any subscriber does", async () => {
    const asked = hub.read("not-yet", { wait: "20s" });
    for (;;) {
      const { status } = await hub.json("GET", "/v1/topics/not-yet");
      if (status === 200) break;
    }
    await hub.publish("not-yet", drafts(1));
    expect(offsetsOf(await asked)).toEqual([1]);
  });

  it("[RD-6] follow a chain of events one after the other without losing one", async () => {
    await hub.publish("chained", drafts(1));
    let { cursor } = await hub.read("chained");
    const seen: number[] = [];
    const reading = (async () => {
      while (seen.length < 60) {
        const page = await hub.read("chained", { from: `cursor:${cursor}`, wait: "10s" });
        seen.push(...offsetsOf(page));
        ({ cursor } = page);
      }
    })();
    for (let count = 0; count < 60; count += 1) await hub.publish("chained", drafts(1));
    await reading;
    expect(seen).toEqual(upTo(60, 2));
  });
});
