import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  hub = await startHub();
  sink = await Sink.open();
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});

const put = (name: string, topics: readonly string[], more: object = {}) =>
  hub.json("PUT", `/v1/subscriptions/${name}`, {
    topics,
    target: { kind: "webhook", url: `${sink.url}/${name}` },
    ...more,
  });

const topicsSeen = (name: string): string[] =>
  sink.accepted
    .filter(({ path }) => path === `/${name}`)
    .map(({ event }) => event.topic)
    .toSorted();

describe("patterns", () => {
  it("[TOP-9] follow every topic they match, those that are there and those to come, and no other", async () => {
    for (const topic of ["a.one", "a.two", "b.one", "a.one.deep"]) await hub.publish(topic, { type: "before" });
    await put("one-word", ["a.*"]);
    await put("any-rest", ["a.**"]);
    await put("exact", ["a.one", "b.new"]);
    for (const topic of ["a.one", "a.two", "a.three", "b.one", "b.new", "a.one.deep", "a.new.deep", "ab.one"]) {
      await hub.publish(topic, { type: "after" });
    }
    const counts = { "any-rest": 5, "one-word": 3, exact: 2 };
    await sink.until(() => Object.entries(counts).every(([name, count]) => topicsSeen(name).length >= count));
    await hub.publish("a.last", { type: "after" });
    await sink.until(() => topicsSeen("any-rest").includes("a.last") && topicsSeen("one-word").includes("a.last"));
    expect(topicsSeen("one-word")).toEqual(["a.last", "a.one", "a.three", "a.two"]);
    expect(topicsSeen("any-rest")).toEqual(["a.last", "a.new.deep", "a.one", "a.one.deep", "a.three", "a.two"]);
    expect(topicsSeen("exact")).toEqual(["a.one", "b.new"]);
  });
});

describe("what a crash left unattached", () => {
  it("[TOP-10] is attached by the cron: a topic whose maker died, a subscription whose maker died", async () => {
    await put("late", ["late.*"]);
    const database = await hub.database();
    const old = Date.now() - 60_000;
    // A topic's row as a request leaves it that dies before it tells the subscriptions.
    await database
      .prepare(
        `INSERT INTO topics (app, name, epoch, revision, partitions, index_kind, retention, schema_policy, description,
         created_at, deleted_at,
         settled) VALUES ('app_default', 'late.topic', ?1, 1, 1, 'none', '{}', 'off', NULL, ?1, NULL, 0)`,
      )
      .bind(old)
      .run();
    await hub.publish("late.topic", { type: "owed" });
    await hub.runCron();
    await sink.until(() => topicsSeen("late").length === 1, "the event of the unattached topic");
    const left = await database
      .prepare("SELECT count(*) AS left FROM topics WHERE settled = 0")
      .first<{ left: number }>();
    expect(left).toEqual({ left: 0 });

    await database.prepare("UPDATE subscriptions SET settled = 0, created_at = ?1 WHERE name = 'late'").bind(old).run();
    await hub.runCron();
    const unsettled = () =>
      database.prepare("SELECT count(*) AS left FROM subscriptions WHERE settled = 0").first<{ left: number }>();
    await eventually(unsettled, (row) => row?.left === 0, "every subscription is settled");
  });
});
