import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { LogState } from "../../src/durable-objects/topic-log/log-state.ts";
import { topicLog } from "../../src/stubs.ts";
import { logContract } from "../contract/log-contract.ts";
import type { LogSubject } from "../contract/log-under-test.ts";
import {
  appendedOf,
  failureOf,
  makeAppend,
  makeDraft,
  makeDrafts,
  makeLife,
  makeRead,
  valueOf,
} from "../builders/log.ts";
import { env } from "../builders/objects.ts";

let opened = 0;
const openTopicLog = () => topicLog(env, "app_test", `topic-${(opened += 1)}`, 0);

logContract("TopicLog", (): LogSubject => {
  const stub = openTopicLog();
  const rpc = stub as unknown as LogSubject["rpc"];
  return { rpc, runAlarm: () => runDurableObjectAlarm(stub), evict: () => evictDurableObject(stub) };
});

type Log = ReturnType<typeof openTopicLog>;

const large = (text: string) => Array.from({ length: 12 }, () => makeDraft({ data: `,"data":"${text}"` }));

type SegmentRow = { first_offset: number; count: number; bytes: number };

const segmentsOf = (log: Log): Promise<SegmentRow[]> =>
  runInDurableObject(log, (_log, state) =>
    state.storage.sql
      .exec<SegmentRow>("SELECT first_offset, count, octet_length(body) AS bytes FROM segments ORDER BY first_offset")
      .toArray(),
  );

it("[LOG-28] a full log refuses what is new, and answers what it holds with its first place", async () => {
  const log = openTopicLog();
  const known = [makeDraft({ id: "known" })];
  valueOf(await log.append(makeAppend(known)));
  const stored = vi.spyOn(LogState.prototype, "bytesStored").mockReturnValue(LIMITS.LOG_BYTES_MAX + 1);
  try {
    expect(failureOf(await log.append(makeAppend(makeDrafts(1))))).toMatchObject({ code: "topic_full" });
    expect(failureOf(await log.append(makeAppend([...known, makeDraft()])))).toMatchObject({ code: "topic_full" });
    expect(appendedOf(await log.append(makeAppend(known))).events).toMatchObject([{ offset: 1, duplicate: true }]);
  } finally {
    stored.mockRestore();
  }
  expect(appendedOf(await log.append(makeAppend(makeDrafts(1)))).events).toMatchObject([{ offset: 2 }]);
});

it("[LOG-10] a request that an earlier release kept, as JSON, is answered as it was", async () => {
  const log = openTopicLog();
  const request = { key: "k", fingerprint: "f" };
  const drafts = makeDrafts(2);
  const first = appendedOf(await log.append(makeAppend(drafts, { request })));
  await runInDurableObject(log, (_log, state) => {
    state.storage.sql.exec(`UPDATE requests SET events = ?1`, JSON.stringify(first.events));
  });
  const again = appendedOf(await log.append(makeAppend(drafts, { request })));
  expect(again).toEqual({ events: first.events.map((event) => ({ ...event, duplicate: true })), replayed: true });
});

describe("segments", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("[LOG-22] are shared by requests that arrive together", async () => {
    const log = openTopicLog();
    await Promise.all(Array.from({ length: 200 }, () => log.append(makeAppend(makeDrafts(1)))));
    const segments = await segmentsOf(log);
    expect(segments.reduce((sum, { count }) => sum + count, 0)).toBe(200);
    expect(segments.length).toBeLessThan(50);
  });

  it(
    "[LOG-29] need no timer for a request that comes alone, nor for the one after it",
    { timeout: 20_000 },
    async () => {
      const log = openTopicLog();
      vi.useFakeTimers({ toFake: ["setTimeout"] });
      for (const offset of [1, 2, 3]) {
        expect(appendedOf(await log.append(makeAppend(makeDrafts(1)))).events).toMatchObject([{ offset }]);
      }
    },
  );

  it("[LOG-29] are waited for by those that come within a second after two met", async () => {
    const log = openTopicLog();
    const append = async () => appendedOf(await log.append(makeAppend(makeDrafts(1)))).events[0]!.offset;
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() });
    const timer = vi.spyOn(globalThis, "setTimeout");
    const waited = () => timer.mock.calls.filter(([, delayMs]) => delayMs === 0).length;
    try {
      await Promise.all(Array.from({ length: 9 }, append));
      const before = waited();
      expect(await append()).toBe(10);
      expect(waited()).toBe(before + 1);
      vi.setSystemTime(Date.now() + 1_001);
      expect(await append()).toBe(11);
      expect(waited()).toBe(before + 1);
    } finally {
      timer.mockRestore();
    }
  });

  it("[LOG-22] stay under a row's size, counted in bytes and not in characters", async () => {
    const log = openTopicLog();
    await log.append(makeAppend(large("x".repeat(250_000))));
    await log.append(makeAppend(large("語".repeat(80_000))));
    const segments = await segmentsOf(log);
    expect(Math.max(...segments.map(({ bytes }) => bytes))).toBeLessThanOrEqual(LIMITS.SEGMENT_BYTES_MAX);
    expect(
      segments
        .map(({ first_offset: first, count }, index) => first + count === (segments[index + 1]?.first_offset ?? 25))
        .every(Boolean),
    ).toBe(true);
  });

  it("[LOG-23] go in bounded slices, a slice a turn of the alarm, while readers see the cut at once", async () => {
    // Far ahead of the runtime's own clock, so that no alarm fires but those that are run here.
    vi.useFakeTimers({ toFake: ["Date"], now: Date.UTC(2040, 0, 1) });
    const log = openTopicLog();
    const rows = 1_300;
    await log.append(makeAppend(makeDrafts(1)));
    await runInDurableObject(log, (_log, state) => {
      // Segments of one event each, as a log gets them whose producers come one at a time.
      for (let offset = 2; offset <= rows; offset += 1) {
        state.storage.sql.exec(
          `INSERT INTO segments SELECT ?1, 1, appended_at, bytes_through * ?1, body, expires_at FROM segments
          WHERE first_offset = 1`,
          offset,
        );
      }
    });
    await evictDurableObject(log);
    const life = makeLife({ revision: 2, retention: { maxEvents: 10 } });
    valueOf(await log.append(makeAppend(makeDrafts(1), { life })));
    const counts: number[] = [];
    for (let turn = 0; turn < 5; turn += 1) {
      await runDurableObjectAlarm(log);
      counts.push((await segmentsOf(log)).length);
      expect(valueOf(await log.read(makeRead({ life }))).firstHeld).toBe(1_292);
    }
    expect(counts).toEqual([801, 301, 10, 10, 10]);
  });
});
