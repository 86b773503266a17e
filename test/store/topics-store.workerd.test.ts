import { beforeAll, describe, expect, it } from "vitest";
import { TopicsStore, type TopicDefinition } from "../../src/store/topics-store.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

let store: TopicsStore;

beforeAll(async () => {
  await migrateDatabase();
  store = new TopicsStore(env.DB);
});

const NOW = Date.UTC(2026, 10, 20);
const definition: TopicDefinition = {
  partitions: 2,
  index: "none",
  retention: {},
  schemaPolicy: "off",
  description: null,
};

describe("TopicsStore", () => {
  it("[TOP-4] makes a topic once, however many ask at once", async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        store.create("app", "contested", { ...definition, partitions: 1 + index }, NOW + index),
      ),
    );
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(made.map(({ topic }) => topic.partitions)).size).toBe(1);
  });

  it("[TOP-6] gives each life of a name a greater epoch, though the clock stands still or steps back", async () => {
    const epochs: number[] = [];
    for (const now of [NOW, NOW, NOW - 60_000, NOW + 1]) {
      epochs.push((await store.create("app", "reborn", definition, now)).topic.epoch);
      epochs.push((await store.remove("app", "reborn", now))!.epoch);
    }
    expect(epochs).toEqual([...new Set(epochs)].toSorted((left, right) => left - right));
    expect(await store.find("app", "reborn")).toBeNull();
    expect(await store.remove("app", "reborn", NOW)).toBeNull();
  });

  it("[TOP-1] changes only the life that the caller has seen", async () => {
    const { topic } = await store.create("app", "changed", definition, NOW);
    expect(await store.update(topic, { ...definition, retention: { maxEvents: 5 } })).toMatchObject({
      revision: 2,
      retention: { maxEvents: 5 },
    });
    await store.remove("app", "changed", NOW);
    await store.create("app", "changed", definition, NOW + 5);
    expect(await store.update(topic, definition)).toBeNull();
  });

  it("[TOP-10] remembers whose birth or end is not known everywhere yet, until it is", async () => {
    const { topic } = await store.create("other", "unsettled", definition, NOW);
    const unsettled = async () =>
      (await store.unsettled(NOW + 1, 100)).filter(({ app }) => app === "other").map(({ name }) => name);
    expect(await unsettled()).toEqual(["unsettled"]);
    await store.markSettled(topic);
    expect(await unsettled()).toEqual([]);
    const removed = (await store.remove("other", "unsettled", NOW))!;
    await store.markSettled(topic);
    expect(await unsettled()).toEqual(["unsettled"]);
    await store.markSettled(removed);
    expect(await unsettled()).toEqual([]);
  });

  it("[TOP-3] lists the living by name, and never those of another app", async () => {
    for (const name of ["c", "a", "b", "dead"]) await store.create("lister", name, definition, NOW);
    await store.create("stranger", "a0", definition, NOW);
    await store.remove("lister", "dead", NOW);
    expect((await store.list("lister", "", 2)).map(({ name }) => name)).toEqual(["a", "b"]);
    expect((await store.list("lister", "b", 2)).map(({ name }) => name)).toEqual(["c"]);
  });
});
