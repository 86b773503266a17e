import { beforeAll, expect, it } from "vitest";
import type { EventEnvelope } from "../../src/core/event.ts";
import { splitLines } from "../../src/core/event.ts";
import { announceSystemEvent, CHANNELS_TOPIC } from "../../src/core/system-event.ts";
import { TopicsStore } from "../../src/store/topics-store.ts";
import { topicLog } from "../../src/stubs.ts";
import { announceSystem } from "../../src/worker/announce.ts";
import { lifeOf } from "../../src/worker/topic-life.ts";
import { makeApp } from "../builders/api-keys.ts";
import { valueOf } from "../builders/log.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

beforeAll(migrateDatabase);

const newsOf = (number: number) =>
  announceSystemEvent({
    type: "channel.occupied",
    id: `n${number}`,
    source: "/channels",
    subject: "room",
    data: { number },
  });

async function eventsOf(app: string): Promise<(EventEnvelope & { data: unknown })[]> {
  const topic = (await new TopicsStore(env.DB).find(app, CHANNELS_TOPIC))!;
  const all = { until: null, eventsMax: 100, bytesMax: 1_000_000, types: null, keys: null, keyStream: null };
  const log = topicLog(env, app, CHANNELS_TOPIC, 0);
  const page = valueOf(await log.read({ life: lifeOf(topic), start: { kind: "earliest" }, ...all }));
  return splitLines(page.body).map((line) => JSON.parse(line) as EventEnvelope & { data: unknown });
}

it("[CHN-1] news that is told again, also with what came since, stands once and in order", async () => {
  const app = await makeApp({ quotas: { topics: 0, eventsPerDay: 0 } });
  valueOf(await announceSystem(env, app.id, CHANNELS_TOPIC, [newsOf(1), newsOf(2)]));
  valueOf(await announceSystem(env, app.id, CHANNELS_TOPIC, [newsOf(1), newsOf(2), newsOf(3)]));
  valueOf(await announceSystem(env, app.id, CHANNELS_TOPIC, [newsOf(3), newsOf(4)]));
  const events = await eventsOf(app.id);
  expect(events.map(({ data }) => data)).toEqual([{ number: 1 }, { number: 2 }, { number: 3 }, { number: 4 }]);
  expect(events[0]).toMatchObject({ type: "channel.occupied", source: "/channels", partitionkey: "room" });
});

it("[CHN-1] an app that is gone is told nothing, and what is no event holds nothing up", async () => {
  expect(await announceSystem(env, "app_gone", CHANNELS_TOPIC, [newsOf(1)])).toEqual({ ok: true, value: null });
  const app = await makeApp({});
  const broken = { full: "{", bare: "{" };
  valueOf(await announceSystem(env, app.id, CHANNELS_TOPIC, [broken, newsOf(1)]));
  expect(await eventsOf(app.id)).toHaveLength(1);
});
