import { beforeAll, describe, expect, it } from "vitest";
import { formatEventLine, type EventDraft } from "../../src/core/event.ts";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import { attemptDelivery } from "../../src/delivery/attempt.ts";
import { registerPublisher, type Publisher } from "../../src/delivery/publisher.ts";
import { republish } from "../../src/worker/republish.ts";
import { env, migrateDatabase } from "../builders/objects.ts";
import { makeDefinition } from "../durable-objects/ledger-world.ts";
import { topicLog } from "../../src/stubs.ts";

const APP = "app_default";

beforeAll(() => migrateDatabase());

const draft = (data: string): EventDraft => ({
  id: null,
  source: "/tests",
  type: "n",
  key: null,
  time: null,
  attributes: "",
  data: `,"data":${data}`,
  expectedKeyVersion: null,
});

const lineOf = (offset: number, attributes = ""): string =>
  formatEventLine({ ...draft(String(offset)), attributes }, `e${offset}`, {
    topic: "from",
    partition: 0,
    offset,
    appendedAt: "2026-01-01T00:00:00.000Z",
    keyVersion: null,
  });

function attempt(offset: number, topic: string, { line = lineOf(offset), timeoutMs = 5_000, app = APP } = {}) {
  const place = { source: 1, topic: "from", partition: 0, epoch: 1, offset };
  return attemptDelivery(env, {
    definition: makeDefinition({ app, target: { kind: "topic", topic }, timeoutMs }),
    delivery: { ...place, id: `msg_sub_1_${offset}`, attempt: 1, redrive: false, line: null },
    line,
  });
}

const eventsIn = async (topic: string): Promise<unknown[]> => {
  const { epoch } = (await env.DB.prepare("SELECT epoch FROM topics WHERE name = ?1").bind(topic).first())!;
  const lines = await topicLog(env, APP, topic, 0).lines(Number(epoch), [1, 2, 3, 4]);
  return lines.filter((line) => line !== null).map((line) => JSON.parse(line));
};

/** The attempt's outcome when the publish goes as it is told here. */
async function whenPublishing(publisher: Publisher, timeoutMs?: number): Promise<AttemptOutcome> {
  registerPublisher(publisher);
  try {
    return await attempt(1, "anywhere", timeoutMs === undefined ? {} : { timeoutMs });
  } finally {
    registerPublisher(republish);
  }
}

describe("an attempt at a topic", () => {
  it("[TGT-5] appends once when the same delivery comes twice, as after a crash before its settle", async () => {
    registerPublisher(republish);
    expect(await attempt(1, "twice")).toEqual({ kind: "accepted", status: 200 });
    expect(await attempt(1, "twice")).toEqual({ kind: "accepted", status: 200 });
    expect(await eventsIn("twice")).toMatchObject([{ id: "e1", data: 1, hubhops: 1 }]);
  });

  it("[TGT-5] appends once when ten of the same delivery run at once", async () => {
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => attempt(2, "at-once")));
    expect(outcomes.map(({ kind }) => kind)).toEqual(Array(10).fill("accepted"));
    expect(await eventsIn("at-once")).toMatchObject([{ id: "e2" }]);
  });

  it("[TGT-6] counts on from what the hub has counted, and no longer after the last step", async () => {
    expect(await attempt(3, "counted", { line: lineOf(3, `,"hubhops":4`) })).toMatchObject({ kind: "accepted" });
    expect(await eventsIn("counted")).toMatchObject([{ id: "e3", hubhops: 5 }]);
    expect(await attempt(4, "counted", { line: lineOf(4, `,"hubhops":5`) })).toMatchObject({
      kind: "rejected",
      reason: "loop",
    });
  });

  it("[TGT-4] says of a publish that is refused, late or broken what became of it", async () => {
    const failure = { code: "quota_exceeded", detail: "No more today.", retryAfterSeconds: 7 } as const;
    expect(await whenPublishing(async () => ({ ok: false, failure }))).toEqual({
      kind: "refused",
      status: 429,
      retryAfterMs: 7_000,
      excerpt: "quota_exceeded: No more today.",
    });
    expect(await whenPublishing(() => scheduler.wait(500).then(() => ({ ok: true, value: null })), 20)).toEqual({
      kind: "unreachable",
      reason: "timeout",
      excerpt: "",
    });
    expect(await whenPublishing(() => Promise.reject(new Error("D1 is away")))).toMatchObject({
      kind: "unreachable",
      reason: "connection",
    });
  });

  it("[TGT-7] publishes for no app that has ended", async () => {
    expect(await attempt(5, "nowhere", { app: "app_gone" })).toMatchObject({ kind: "refused", status: 404 });
  });
});
