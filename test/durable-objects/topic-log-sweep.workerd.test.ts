import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { topicLog } from "../../src/stubs.ts";
import { appendedOf, makeAppend, makeDraft, makeLife, makeRead, valueOf } from "../builders/log.ts";
import { env } from "../builders/objects.ts";

/** Rows that one turn of the sweep may take. */
const SLICE = 1_000;

// Far ahead of the runtime's own clock, so that no alarm fires but those that a test runs.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2040, 0, 1) });
});
afterEach(() => {
  vi.useRealTimers();
});

let opened = 0;
const openTopicLog = () => topicLog(env, "app_sweep", `topic-${(opened += 1)}`, 0);

type Log = ReturnType<typeof openTopicLog>;

const life = makeLife({ index: "key", retention: { maxEvents: 10 } });

async function append(log: Log, key: string, count: number): Promise<number | null> {
  const drafts = Array.from({ length: count }, () => makeDraft({ key }));
  return appendedOf(await log.append(makeAppend(drafts, { life }))).events.at(-1)!.keyVersion;
}

type KeyRow = { key: string; offset: number; version: number };

const keyRows = (log: Log): Promise<KeyRow[]> =>
  runInDurableObject(log, (_log, { storage }) =>
    storage.sql.exec<KeyRow>("SELECT key, offset, version FROM key_events ORDER BY offset").toArray(),
  );

/** Runs the alarm until nothing is due at once; answers how many rows each turn left. */
async function sweep(log: Log): Promise<number[]> {
  const left: number[] = [];
  while (left.at(-1) !== left.at(-2) || left.length < 2) {
    await runDurableObjectAlarm(log);
    left.push((await keyRows(log)).length);
  }
  return left;
}

describe("the index of keys", () => {
  it("[LOG-17] loses the rows of events that retention took, but for the newest of each key", async () => {
    const log = openTopicLog();
    await append(log, "quiet", 3);
    await append(log, "busy", 30);
    await append(log, "quieter", 1);
    await append(log, "held", 5);
    await sweep(log);
    const newest = { quiet: 3, quieter: 34 };
    const rows = await keyRows(log);
    expect(rows.map(({ offset }) => offset)).toEqual([
      newest.quiet,
      30,
      31,
      32,
      33,
      newest.quieter,
      35,
      36,
      37,
      38,
      39,
    ]);
    expect(valueOf(await log.status(life))).toMatchObject({ firstOffset: 30, lastOffset: 39 });
  });

  it("[LOG-6] goes on counting the versions of keys whose rows were swept", async () => {
    const log = openTopicLog();
    await append(log, "quiet", 3);
    await append(log, "busy", 30);
    await sweep(log);
    expect(await append(log, "quiet", 1)).toBe(4);
    expect(await append(log, "busy", 1)).toBe(31);
    const stale = makeAppend([makeDraft({ key: "quiet", expectedKeyVersion: 0 })], { life });
    expect(await log.append(stale)).toMatchObject({ ok: false, failure: { code: "version_conflict", actual: 4 } });
    const stream = makeRead({ life, keyStream: "quiet" });
    expect(valueOf(await log.read(stream)).offsets).toEqual([34]);
  });

  it("[LOG-17] is swept in bounded slices, many rows of one key or one row of many keys", async () => {
    const log = openTopicLog();
    for (let round = 0; round < 6; round += 1) await append(log, "busy", 400);
    const many = Array.from({ length: 400 }, (_, index) => makeDraft({ key: `k${index}` }));
    for (let round = 0; round < 4; round += 1) valueOf(await log.append(makeAppend(many, { life })));
    const left = await sweep(log);
    const before = [2_400 + 1_600, ...left];
    expect(Math.max(...left.map((count, turn) => before[turn]! - count))).toBeLessThanOrEqual(SLICE);
    expect(left.at(-1)).toBe(1 + 400);
    expect(left.length).toBeGreaterThan(4);
  });
});
