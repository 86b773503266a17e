/**
 * Schedules inside the runtime, under the test's own clock. What an occurrence should be is counted here without croner:
 * a walk through the year by the wall clocks of each zone.
 */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ScheduleDefinition } from "../../src/core/cron-schedule.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { fail, ok, type Result } from "../../src/core/result.ts";
import type { Occurrence } from "../../src/durable-objects/rpc/schedules.ts";
import { cronOccurrences } from "../../src/durable-objects/schedules/cron-occurrences.ts";
import type { SchedulesRpc } from "../../src/durable-objects/rpc/schedules.ts";
import { runSchedules } from "../../src/durable-objects/schedules/run-schedules.ts";
import { SchedulesStore } from "../../src/durable-objects/schedules/schedules-store.ts";
import { schedules } from "../../src/stubs.ts";
import { WorkerGate } from "../../src/worker/gate.ts";
import { valueOf } from "../builders/log.ts";
import { env } from "../builders/objects.ts";
import { seededRandom } from "../harness/random.ts";

// Far ahead of the runtime's own clock, so that no alarm fires but those that a test runs.
const YEAR = 2041;
const NOW = Date.UTC(YEAR, 0, 1);
const MINUTE = 60_000;
const STEP = 10 * MINUTE;
const DAY = 24 * 60 * MINUTE;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

let opened = 0;
const openSchedules = () => schedules(env, `app_schedules_${(opened += 1)}`);
type App = ReturnType<typeof openSchedules>;

const makeSchedule = (more: Partial<ScheduleDefinition> = {}): ScheduleDefinition => ({
  name: "daily",
  cron: "30 2 * * *",
  timeZone: "UTC",
  topic: "t",
  event: '{"type":"t"}',
  startAt: null,
  endAt: null,
  paused: false,
  catchUp: "last",
  ...more,
});

const put = async (app: App, more: Partial<ScheduleDefinition> = {}, revision = 0) =>
  valueOf(await app.put(makeSchedule(more), revision));

const alarmOf = (app: App): Promise<number | null> =>
  runInDurableObject(app, (_object, { storage }) => storage.getAlarm());

type Publish = (occurrence: Occurrence) => Result<null> | Promise<Result<null>>;

/** Runs what is due as the alarm does, published by the test. */
const runDue = (app: App, publish: Publish, now = Date.now()) =>
  runInDurableObject(app, (_object, { storage }) => {
    const gate = { occur: async (occurrence: Occurrence) => publish(occurrence) };
    return runSchedules({ app: "a", schedules: new SchedulesStore(storage.sql), gate }, now);
  });

const nextDue = (app: App): Promise<number | null> =>
  runInDurableObject(app, (_object, { storage }) => new SchedulesStore(storage.sql).nextDueAt());

interface Wall {
  readonly at: number;
  /** Days and minutes of the wall clock, as one number that grows with it. */
  readonly minutes: number;
}

interface Span {
  readonly from: number;
  readonly to: number;
}

const WHOLE_YEAR: Span = { from: NOW, to: Date.UTC(YEAR + 1, 0, 1) };
/** The clocks of Berlin and of Lord Howe change within them, twice each. */
const CHANGES: readonly Span[] = [
  { from: Date.UTC(YEAR, 2, 28), to: Date.UTC(YEAR, 3, 9) },
  { from: Date.UTC(YEAR, 9, 3), to: Date.UTC(YEAR, 9, 8) },
  { from: Date.UTC(YEAR, 9, 25), to: Date.UTC(YEAR, 9, 29) },
];

/** What the clocks of a zone show, every ten minutes. They change at half hours of UTC only. */
function wallClock(timeZone: string, { from, to }: Span): Wall[] {
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
  });
  const walls: Wall[] = [];
  for (let at = from; at < to; at += 3 * STEP) {
    const part = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
    const { year, month, day, hour, minute } = part;
    const minutes = Date.UTC(year!, month! - 1, day!, hour!, minute!) / MINUTE;
    for (const more of [0, 10, 20]) walls.push({ at: at + more * MINUTE, minutes: minutes + more });
  }
  return walls;
}

/** Once a day, when the wall clock first shows that time or has passed it. */
function daily(walls: readonly Wall[], hour: number, minute: number): number[] {
  const found: number[] = [];
  const dayOf = (minutes: number): number => Math.floor((minutes - hour * 60 - minute) / 1_440);
  let day = dayOf(walls[0]!.minutes);
  for (const { at, minutes } of walls.slice(1)) {
    if (dayOf(minutes) > day) found.push(at);
    day = Math.max(day, dayOf(minutes));
  }
  return found;
}

const every = (walls: readonly Wall[], minutesApart: number): number[] =>
  walls.slice(1).flatMap(({ at, minutes }) => (minutes % minutesApart === 0 ? [at] : []));

type Expected = (walls: readonly Wall[]) => number[];

const YEARS: readonly (readonly [name: string, cron: string, timeZone: string, Expected, readonly Span[]])[] = [
  ["in the gap", "30 2 * * *", "Europe/Berlin", (walls) => daily(walls, 2, 30), [WHOLE_YEAR]],
  ["twice on the clock", "10 1 * * *", "America/New_York", (walls) => daily(walls, 1, 10), [WHOLE_YEAR]],
  ["in the south", "30 2 * * *", "Pacific/Auckland", (walls) => daily(walls, 2, 30), [WHOLE_YEAR]],
  ["at a midnight that is none", "0 0 * * *", "America/Santiago", (walls) => daily(walls, 0, 0), [WHOLE_YEAR]],
  ["half an hour's gap", "10 2 * * *", "Australia/Lord_Howe", (walls) => daily(walls, 2, 10), [WHOLE_YEAR]],
  ["half an hour twice", "40 1 * * *", "Australia/Lord_Howe", (walls) => daily(walls, 1, 40), [WHOLE_YEAR]],
  ["without a change", "50 23 * * *", "Asia/Kolkata", (walls) => daily(walls, 23, 50), [WHOLE_YEAR]],
  ["hourly", "0 * * * *", "Europe/Berlin", (walls) => every(walls, 60), CHANGES],
  ["half-hourly", "*/30 * * * *", "Australia/Lord_Howe", (walls) => every(walls, 30), CHANGES],
];

const SEED = Math.floor(Math.random() * 1e9);

/** One schedule through its span, under an alarm that is late or doubled, a clock that steps, answers that are lost. */
async function liveThrough(definition: Partial<ScheduleDefinition>, { from, to }: Span): Promise<number[]> {
  const random = seededRandom(SEED);
  const app = openSchedules();
  await put(app, { ...definition, startAt: from + 1, catchUp: "all" });
  const published = new Map<string, number>();
  const occur = async ({ id, at }: Occurrence): Promise<Result<null>> => {
    expect(id.endsWith(`_${at}`)).toBe(true);
    published.set(id, at);
    if (random() < 0.02) throw new Error("the answer was lost");
    return ok(null);
  };
  await runInDurableObject(app, async (_object, { storage }) => {
    const work = { app: "a", schedules: new SchedulesStore(storage.sql), gate: { occur } };
    for (let due = work.schedules.nextDueAt()!; due < to; due = work.schedules.nextDueAt()!) {
      const late = random() < 0.1 ? Math.floor(random() * 30 * MINUTE) : 0;
      await runSchedules(work, due + late);
      if (random() < 0.1) await runSchedules(work, due + late);
      if (random() < 0.1) await runSchedules(work, due - 60 * MINUTE);
    }
  });
  return [...published.values()].filter((at) => at < to);
}

describe("a schedule", () => {
  it.each(YEARS)(
    `[TIME-11] %s has each occurrence of a year with its changes of clocks once (seed ${SEED})`,
    async (_name, cron, timeZone, expected, spans) => {
      for (const span of spans) {
        const instants = await liveThrough({ cron, timeZone }, span);
        expect(instants.toSorted((left, right) => left - right)).toEqual(expected(wallClock(timeZone, span)));
      }
    },
  );

  it("[TIME-11] never comes twice at one instant, nor at another than its expression names, for many expressions", () => {
    const crons = [
      "*/7 * * * *",
      "0,30 2-3 * * *",
      "15 2 * * 0",
      "0 3 1 * *",
      "59 23 L * *",
      "*/20 1,2 * * *",
      "30 2 * 3,10 *",
    ];
    for (const timeZone of ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]) {
      for (const cron of crons) {
        const occurrences = valueOf(cronOccurrences(cron, timeZone));
        let at = Date.UTC(YEAR, 2, 29);
        for (let count = 0; count < 60; count += 1) {
          const next = occurrences.after(at)!;
          expect(next).toBeGreaterThan(at);
          expect([cron, timeZone, occurrences.lastThrough(next)]).toEqual([cron, timeZone, next]);
          expect(occurrences.after(next - 1)).toBe(next);
          at = next;
        }
      }
    }
  });

  it("[TIME-12] is published by its object's alarm, which stands at the next occurrence and nowhere without one", async () => {
    const occur = vi.spyOn(WorkerGate.prototype, "occur").mockResolvedValue(ok(null));
    const app = openSchedules();
    const { next } = (await put(app, { cron: "0 * * * *" }))!;
    expect(next[0]).toBe(NOW + 60 * MINUTE);
    expect(await alarmOf(app)).toBe(next[0]);
    for (const at of next.slice(0, 3)) {
      vi.setSystemTime(at);
      await runDurableObjectAlarm(app);
      expect(await alarmOf(app)).toBe(at + 60 * MINUTE);
    }
    expect(occur.mock.calls.map(([{ at }]) => at)).toEqual(next.slice(0, 3));
    expect(await app.remove("daily")).toBe(true);
    expect(await alarmOf(app)).toBeNull();
  });

  it("[TIME-13] that was missed comes once when the hub is back, or each of the last day where that is asked", async () => {
    for (const [catchUp, downMs, expected] of [
      ["last", 6 * DAY, 1],
      ["all", 10 * 60 * MINUTE, 10],
      ["all", 6 * DAY, 24],
    ] as const) {
      const app = openSchedules();
      await put(app, { cron: "0 * * * *", catchUp });
      const published: number[] = [];
      const publish: Publish = ({ at }) => (published.push(at), ok(null));
      const back = NOW + downMs + 5 * MINUTE;
      for (let turn = 0; turn < 200; turn += 1) await runDue(app, publish, back);
      expect(published).toEqual(
        Array.from({ length: expected }, (_, i) => NOW + downMs - (expected - 1 - i) * 60 * MINUTE),
      );
      expect(await nextDue(app)).toBe(NOW + downMs + 60 * MINUTE);
    }
  });

  it("[TIME-13] that is late by a moment misses nothing", async () => {
    const app = openSchedules();
    await put(app, { cron: "* * * * * *" });
    const published: number[] = [];
    for (let turn = 0; turn < 40; turn += 1)
      await runDue(app, ({ at }) => (published.push(at), ok(null)), NOW + 30_000);
    expect(published).toEqual(Array.from({ length: 30 }, (_, index) => NOW + (index + 1) * 1_000));
  });

  it("[TIME-13] of a year ago that nobody could publish is made up for by its last occurrence", async () => {
    const app = openSchedules();
    await put(app, { cron: "0 0 1 * *", catchUp: "all" });
    const published: number[] = [];
    await runDue(app, ({ at }) => (published.push(at), ok(null)), NOW + 100 * DAY);
    expect(published).toEqual([Date.UTC(YEAR, 3, 1)]);
  });

  it("[TIME-14] is tried again where that may help, holds up no other, and is given up where it cannot", async () => {
    const app = openSchedules();
    await put(app, { name: "stuck", cron: "0 * * * *" });
    await put(app, { name: "well", cron: "0 * * * *" });
    const first = NOW + 60 * MINUTE;
    const well: number[] = [];
    const refuse: Publish = ({ schedule, at }) => {
      if (schedule === "stuck") return fail("quota_exceeded");
      well.push(at);
      return ok(null);
    };
    await runDue(app, refuse, first);
    expect(await app.find("stuck")).toMatchObject({ trying: { at: first, code: "quota_exceeded" }, last: null });
    expect(await nextDue(app)).toBe(first + LIMITS.SCHEDULE_RETRY_MS);
    await runDue(app, refuse, first + LIMITS.SCHEDULE_RETRY_MS);
    await runDue(app, () => ok(null), first + 3 * LIMITS.SCHEDULE_RETRY_MS);
    expect(await app.find("stuck")).toMatchObject({ trying: null, last: { at: first, code: null } });
    await runDue(app, () => fail("schema_violation"), first + 60 * MINUTE);
    expect(await app.find("stuck")).toMatchObject({ last: { at: first + 60 * MINUTE, code: "schema_violation" } });
    expect(well).toEqual([first]);
  });

  it("[TIME-14] whose occurrence was answered for by nobody is asked again under the same id", async () => {
    const app = openSchedules();
    await put(app, { cron: "0 * * * *" });
    const ids: string[] = [];
    const first = NOW + 60 * MINUTE;
    const lost: Publish = ({ id }) => {
      ids.push(id);
      throw new Error("cut");
    };
    await runDue(app, lost, first);
    await runDue(app, ({ id }) => (ids.push(id), ok(null)), first + LIMITS.SCHEDULE_RETRY_MS);
    expect(ids).toEqual([ids[0], ids[0]]);
    expect(await nextDue(app)).toBe(first + 60 * MINUTE);
  });

  it("[TIME-15] keeps to its start, its end and its pauses", async () => {
    const app = openSchedules();
    const [startAt, endAt] = [NOW + 2 * DAY, NOW + 4 * DAY];
    const bounded = (await put(app, { cron: "0 0 * * *", startAt, endAt }))!;
    expect(bounded.next).toEqual([startAt, NOW + 3 * DAY, endAt]);
    const paused = (await put(app, { cron: "0 0 * * *", startAt, endAt, paused: true }, 1))!;
    expect([paused.next, await alarmOf(app)]).toEqual([[], null]);
    vi.setSystemTime(NOW + 3 * DAY);
    const resumed = (await put(app, { cron: "0 0 * * *", startAt, endAt }, 2))!;
    expect(resumed.next).toEqual([endAt]);
    await runDue(app, () => ok(null), endAt);
    expect(await app.find("daily")).toMatchObject({ next: [], last: { at: endAt } });
  });

  it("[TIME-15] that was missed is made up for by nothing behind its end", async () => {
    const app = openSchedules();
    const endAt = NOW + 120 * MINUTE;
    await put(app, { cron: "0 * * * *", endAt });
    const published: number[] = [];
    await runDue(app, ({ at }) => (published.push(at), ok(null)), NOW + 600 * MINUTE);
    expect(published).toEqual([endAt]);
  });

  it("[TIME-15] that is changed goes on from now, and brings no occurrence again when the clock was set back", async () => {
    const app = openSchedules();
    await put(app, { cron: "0 * * * *" });
    const first = NOW + 60 * MINUTE;
    await runDue(app, () => ok(null), first);
    vi.setSystemTime(NOW + 30 * MINUTE);
    const changed = (await put(app, { cron: "*/20 * * * *" }, 1))!;
    expect(changed.next[0]).toBe(first + 20 * MINUTE);
    expect(await put(app, { cron: "0 0 * * *" }, 1)).toBeNull(); // It is of another revision by now.
    const sameTimes = (await put(app, { cron: "*/20 * * * *", event: '{"type":"u"}' }, 2))!;
    expect(sameTimes.next).toEqual(changed.next);
  });

  it("[TIME-15] that was removed or replaced while its occurrence was under way stays so", async () => {
    const app = openSchedules();
    const runMeanwhile = (change: (object: SchedulesRpc) => Promise<unknown>): Promise<unknown> =>
      runInDurableObject(app, async (object, { storage }) => {
        const gate = { occur: async () => (await change(object), ok(null)) };
        await runSchedules({ app: "a", schedules: new SchedulesStore(storage.sql), gate }, NOW + 60 * MINUTE);
      });
    await put(app, { cron: "0 * * * *" });
    await runMeanwhile((object) => object.put(makeSchedule({ cron: "30 * * * *" }), 1));
    expect(await app.find("daily")).toMatchObject({ definition: { cron: "30 * * * *" }, revision: 2, last: null });
    await runMeanwhile((object) => object.remove("daily"));
    expect(await app.find("daily")).toBeNull();
  });

  it("[TIME-18] that a clock far ahead has made or published comes back at the next look when it is right again", async () => {
    const occur = vi.spyOn(WorkerGate.prototype, "occur").mockResolvedValue(ok(null));
    const [made, published] = [openSchedules(), openSchedules()];
    await put(published, { cron: "0 3 * * *" });
    vi.setSystemTime(NOW + 400 * DAY);
    await put(made, { cron: "0 3 * * *" });
    await runDurableObjectAlarm(published);
    expect(await alarmOf(published)).toBeGreaterThan(NOW + 400 * DAY);
    vi.setSystemTime(NOW + DAY);
    const first = NOW + DAY + 3 * 60 * MINUTE;
    await runDurableObjectAlarm(published); // It was set by the same clock, and goes off by another.
    expect((await made.list("", 1))[0]!.next).toEqual([first]);
    for (const app of [made, published]) expect([await nextDue(app), await alarmOf(app)]).toEqual([first, first]);
    expect(occur).toHaveBeenCalledTimes(1);
    const changed = (await put(published, { cron: "0 4 * * *" }, 1))!;
    expect(changed.next[0]).toBe(first + 60 * MINUTE);
  });

  it("[TIME-18] that failed by such a clock is tried again within the time that a try waits", async () => {
    const app = openSchedules();
    await put(app, { cron: "0 * * * *" });
    const first = NOW + 60 * MINUTE;
    await runDue(app, () => fail("hub_overloaded"), first + 30 * 60 * MINUTE);
    await runInDurableObject(app, (_object, { storage }) => {
      const store = new SchedulesStore(storage.sql);
      store.put({ ...store.find("daily")!, next: first });
    });
    vi.setSystemTime(first + MINUTE);
    await app.find("daily");
    expect(await nextDue(app)).toBe(first + MINUTE + LIMITS.SCHEDULE_RETRY_MS_MAX);
  });

  it("[TIME-16] is one of a bounded number, and all of them end with their app", async () => {
    vi.spyOn(WorkerGate.prototype, "occur").mockResolvedValue(fail("app_not_found"));
    const app = openSchedules();
    await put(app, { cron: "0 * * * *" });
    await runInDurableObject(app, (_object, { storage }) =>
      storage.sql.exec(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         INSERT INTO schedules (name, id, revision, definition, event, created_at, attempts)
         SELECT 'filler-' || i, i, 1, '{}', '{}', 0, 0 FROM n`,
        LIMITS.APP_SCHEDULES_MAX - 1,
      ),
    );
    expect(await app.put(makeSchedule({ name: "more" }), 0)).toMatchObject({ failure: { code: "quota_exceeded" } });
    expect(await put(app, { cron: "5 * * * *" }, 1)).not.toBeNull();
    vi.setSystemTime(NOW + 5 * MINUTE);
    await runDurableObjectAlarm(app); // Its app is not there any more.
    expect([await app.list("", 10), await alarmOf(app)]).toEqual([[], null]);
  });
});
