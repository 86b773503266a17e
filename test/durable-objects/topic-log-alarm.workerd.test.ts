import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import type { SchemaRejection } from "../../src/core/operation-event.ts";
import { topicLog } from "../../src/stubs.ts";
import { makeAppend, makeDrafts, makeLife, makeRead, valueOf } from "../builders/log.ts";
import { env } from "../builders/objects.ts";

// Far ahead of the runtime's own clock, so that no alarm fires but those that a test runs.
const NOW = Date.UTC(2040, 0, 1);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

let opened = 0;
const openTopicLog = () => topicLog(env, "app_alarm", `topic-${(opened += 1)}`, 0);

type Log = ReturnType<typeof openTopicLog>;

const alarmOf = (log: Log): Promise<number | null> =>
  runInDurableObject(log, (_log, { storage }) => storage.getAlarm());

describe("the alarm", () => {
  const before = makeLife({ retention: { maxAgeMs: 2_592_000_000 } });

  it.each([
    ["age", { maxAgeMs: 1_000 }, 21],
    ["count", { maxEvents: 5 }, 16],
    ["bytes", { maxBytes: 1 }, 20],
  ])("[LOG-17] stands at once when a newer policy bounds by %s what is held", async (_by, retention, firstHeld) => {
    const log = openTopicLog();
    valueOf(await log.append(makeAppend(makeDrafts(19), { life: before })));
    valueOf(await log.append(makeAppend(makeDrafts(1), { life: before })));
    vi.setSystemTime(NOW + 2_000);
    const life = makeLife({ revision: 2, retention });
    valueOf(await log.status(life));
    expect(await alarmOf(log)).toBe(NOW + 2_000);
    await runDurableObjectAlarm(log);
    expect(valueOf(await log.read(makeRead({ life }))).firstHeld).toBe(firstHeld);
  });

  it("[LOG-17] stands at what is due next under the newer policy, when nothing is due yet", async () => {
    const log = openTopicLog();
    valueOf(await log.append(makeAppend(makeDrafts(1), { life: before })));
    valueOf(await log.read(makeRead({ life: makeLife({ revision: 2, retention: { maxAgeMs: 60_000 } }) })));
    await runDurableObjectAlarm(log);
    expect(await alarmOf(log)).toBe(NOW + 60_001);
  });

  it("[LOG-17] stands for the first event after all were trimmed, though a sweep is due later", async () => {
    const log = openTopicLog();
    const life = makeLife({ retention: { maxAgeMs: 60_000 } });
    const drafts = makeDrafts(1).map((draft) => ({ ...draft, id: "once" }));
    valueOf(await log.append(makeAppend(drafts, { life })));
    for (let turn = 1; turn < 4; turn += 1) {
      vi.setSystemTime(NOW + turn * 60_001);
      await runDurableObjectAlarm(log);
    }
    expect(await alarmOf(log)).toBeGreaterThan(NOW + LIMITS.DEDUP_KEEP_MS_MIN);
    valueOf(await log.append(makeAppend(makeDrafts(1), { life })));
    expect(await alarmOf(log)).toBe(NOW + 3 * 60_001 + 60_001);
  });

  it("[LOG-17] that fails comes again later, not at once", async () => {
    const log = openTopicLog();
    valueOf(await log.append(makeAppend(makeDrafts(1), { life: before })));
    await runInDurableObject(log, (_log, { storage }) => storage.sql.exec("ALTER TABLE segments RENAME TO lost"));
    vi.spyOn(console, "error").mockImplementationOnce(() => undefined);
    await runDurableObjectAlarm(log);
    expect(await alarmOf(log)).toBe(NOW + LIMITS.TELL_AGAIN_MS);
  });
});

describe("what operators are told", () => {
  /** What waits to be told, for there is no database to tell it in: the type, and how many refusals it tells of. */
  const waiting = (log: Log) =>
    runInDurableObject(log, (_log, { storage }) =>
      storage.sql
        .exec<{ full: string }>("SELECT full FROM operations ORDER BY seq")
        .toArray()
        .map(({ full }) => (JSON.parse(full) as { data: SchemaRejection }).data)
        .map(({ type, refusals }) => [type, refusals]),
    );

  it("[OPS-4] of a type that is refused stands there at once, then once in five minutes with all since", async () => {
    const log = openTopicLog();
    const reject = async (type: string, refusals: number, life = makeLife()): Promise<void> => {
      valueOf(await log.tellRejected(life, { type, version: 2, errors: [], producer: "root", refusals }));
    };
    await reject("a", 1);
    await reject("a", 30);
    await reject("b", 1);
    vi.setSystemTime(NOW + LIMITS.SCHEMA_REJECTED_TOLD_MS - 1);
    await reject("a", 4);
    const before = [
      ["a", 1],
      ["b", 1],
    ];
    expect(await waiting(log)).toEqual(before);
    vi.setSystemTime(NOW + LIMITS.SCHEMA_REJECTED_TOLD_MS);
    await reject("a", 5);
    expect(await waiting(log)).toEqual([...before, ["a", 39]]);
    await reject("a", 2, makeLife({ epoch: 2_000 }));
    expect(await waiting(log), "another life begins anew").toEqual([...before, ["a", 39], ["a", 2]]);
  });
});
