import { beforeAll, describe, expect, it } from "vitest";
import type { AuditEntry } from "../../src/core/audit.ts";
import { TopicsStore, type TopicDefinition, type TopicRecord } from "../../src/store/topics-store.ts";
import { valueOf } from "../builders/log.ts";
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

const TOPICS_MAX = 100;

const entryOf = (app: string, subject: string, at = NOW): AuditEntry => ({
  app,
  subject,
  at,
  actor: "root",
  request: "tests",
  action: "topic.changed",
  before: null,
  after: null,
});

const create = async (app: string, name: string, made = definition, now = NOW) =>
  valueOf(await store.create(made, TOPICS_MAX, entryOf(app, name, now)));

async function remove(app: string, name: string, now = NOW): Promise<TopicRecord | null> {
  const topic = await store.find(app, name);
  return topic === null ? null : store.remove(topic, entryOf(app, name, now));
}

describe("TopicsStore", () => {
  it("[TOP-4] makes a topic once, however many ask at once", async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        create("app", "contested", { ...definition, partitions: 1 + index }, NOW + index),
      ),
    );
    expect(made.filter(({ created }) => created)).toHaveLength(1);
    expect(new Set(made.map(({ topic }) => topic.partitions)).size).toBe(1);
  });

  it("[TOP-6] gives each life of a name a greater epoch, though the clock stands still or steps back", async () => {
    const epochs: number[] = [];
    for (const now of [NOW, NOW, NOW - 60_000, NOW + 1]) {
      epochs.push((await create("app", "reborn", definition, now)).topic.epoch);
      epochs.push((await remove("app", "reborn", now))!.epoch);
    }
    expect(epochs).toEqual([...new Set(epochs)].toSorted((left, right) => left - right));
    expect(await store.find("app", "reborn")).toBeNull();
    expect(await remove("app", "reborn")).toBeNull();
  });

  it("[TOP-1] changes only the life that the caller has seen", async () => {
    const { topic } = await create("app", "changed");
    const entry = entryOf("app", "changed");
    expect(await store.update(topic, { ...definition, retention: { maxEvents: 5 } }, entry)).toMatchObject({
      revision: 2,
      retention: { maxEvents: 5 },
    });
    expect(await store.update(topic, definition, entry)).toBeNull();
    expect(await store.remove(topic, entry)).toBeNull();
    const read = (await store.find("app", "changed"))!;
    await remove("app", "changed");
    await create("app", "changed", definition, NOW + 5);
    expect(await store.update(read, definition, entry)).toBeNull();
  });

  it("[TOP-10] remembers whose birth or end is not known everywhere yet, until it is", async () => {
    const { topic } = await create("other", "unsettled");
    const unsettled = async () =>
      (await store.unsettled(NOW + 1, 100)).filter(({ app }) => app === "other").map(({ name }) => name);
    expect(await unsettled()).toEqual(["unsettled"]);
    await store.markSettled(topic);
    expect(await unsettled()).toEqual([]);
    const removed = (await remove("other", "unsettled"))!;
    await store.markSettled(topic);
    expect(await unsettled()).toEqual(["unsettled"]);
    await store.markSettled(removed);
    expect(await unsettled()).toEqual([]);
  });

  it("[QUO-1] counts what lives: of racing creations exactly as many as there may be are made", async () => {
    const makeMany = async (names: readonly string[]) => {
      const made = names.map((name) => store.create(definition, 10, entryOf("full", name)));
      return (await Promise.all(made)).filter((answer) => answer.ok);
    };
    const names = Array.from({ length: 50 }, (_, index) => `t${index}`);
    const created = await makeMany(names);
    expect(created).toHaveLength(10);
    expect(await makeMany(names), "those that live are still found").toHaveLength(10);
    expect(await store.create(definition, 10, entryOf("full", "more"))).toMatchObject({
      ok: false,
      failure: { code: "quota_exceeded", limit: 10, actual: 11 },
    });
    await remove("full", created[0]!.value.topic.name);
    expect(await makeMany(["dead.1", "dead.2"])).toHaveLength(1);
  });

  it("[TOP-3] lists the living by name, and never those of another app", async () => {
    for (const name of ["c", "a", "b", "dead"]) await create("lister", name);
    await create("stranger", "a0");
    await remove("lister", "dead");
    expect((await store.list("lister", "", 2)).map(({ name }) => name)).toEqual(["a", "b"]);
    expect((await store.list("lister", "b", 2)).map(({ name }) => name)).toEqual(["c"]);
  });
});
