/**
 * Events for later, inside the runtime: the clock and the alarm are the test's own, so that a year, a step of the clock
 * and a doubled alarm take no time.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EventDraft } from "../../src/core/event.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { AppendRequest } from "../../src/durable-objects/rpc.ts";
import { topicLog } from "../../src/stubs.ts";
import {
  appendedOf,
  eventsOf,
  failureOf,
  makeAppend,
  makeDraft,
  makeLife,
  makeRead,
  valueOf,
} from "../builders/log.ts";
import { env } from "../builders/objects.ts";
import { seededRandom } from "../harness/random.ts";

// Far ahead of the runtime's own clock, so that no alarm fires but those that a test runs.
const NOW = Date.UTC(2040, 0, 1);
const MINUTE = 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

let opened = 0;
const openTopicLog = () => topicLog(env, "app_later", `topic-${(opened += 1)}`, 0);

type Log = ReturnType<typeof openTopicLog>;

const alarmOf = (log: Log): Promise<number | null> =>
  runInDurableObject(log, (_log, { storage }) => storage.getAlarm());

const later = (id: string, deliverAt: number) => makeDraft({ id, deliverAt, data: `,"data":"${id}"` });

async function append(log: Log, drafts: readonly EventDraft[], more: Partial<AppendRequest> = {}) {
  return appendedOf(await log.append(makeAppend(drafts, more))).events;
}

const readAll = async (log: Log) => eventsOf(valueOf(await log.read(makeRead())));
const idsOf = async (log: Log): Promise<string[]> => (await readAll(log)).map(({ id }) => id);
const ALL = { after: { deliverAt: 0, seq: 0 }, limit: 1_000, charsMax: 1_000_000, id: null, producer: null };

describe("an event for later", () => {
  it("[TIME-1] waits without an offset, and is appended by the log's own alarm", async () => {
    const log = openTopicLog();
    const at = NOW + 10 * MINUTE;
    const receipt = { id: "a", offset: 0, keyVersion: null, duplicate: false, deliverAt: at };
    expect(await append(log, [later("a", at)])).toEqual([receipt]);
    await append(log, [later("b", at + 1)]);
    expect(await idsOf(log)).toEqual([]);
    expect(await alarmOf(log)).toBe(at);
    await evictDurableObject(log);
    vi.setSystemTime(at - 1);
    await runDurableObjectAlarm(log); // Too early: it stands again where it stood.
    expect([await idsOf(log), await alarmOf(log)]).toEqual([[], at]);
    vi.setSystemTime(at);
    await runDurableObjectAlarm(log);
    expect(await readAll(log)).toMatchObject([{ id: "a", offset: 1, appendedat: new Date(at).toISOString() }]);
  });

  it("[TIME-1] that is due already, or has no time of its own, is appended at once", async () => {
    const log = openTopicLog();
    expect(await append(log, [later("due", NOW), makeDraft()])).toMatchObject([{ offset: 1 }, { offset: 2 }]);
  });

  it("[TIME-1] comes in the order of the times, and before what is published when it is due", async () => {
    const log = openTopicLog();
    const drafts = ["c", "a", "b"].map((id, index) => later(id, NOW + [3, 1, 1][index]! * MINUTE));
    await append(log, drafts);
    vi.setSystemTime(NOW + 5 * MINUTE); // The alarm is late.
    await append(log, [makeDraft({ id: "now" })]);
    expect(await idsOf(log)).toEqual(["a", "b", "c", "now"]);
  });

  it("[TIME-1] of many each is appended once, slice by slice", async () => {
    const log = openTopicLog();
    const count = LIMITS.SCHEDULED_EVENTS_PER_SLICE + 20;
    await append(
      log,
      Array.from({ length: count }, (_, index) => later(`e${index}`, NOW + MINUTE)),
    );
    vi.setSystemTime(NOW + MINUTE);
    for (let slice = 0; slice < 2; slice += 1) await runDurableObjectAlarm(log);
    expect(await idsOf(log)).toEqual(Array.from({ length: count }, (_, index) => `e${index}`));
  });

  it("[TIME-2] is known by its id while it waits and after it: a repeat is a duplicate, other content is refused", async () => {
    const log = openTopicLog();
    const at = NOW + MINUTE;
    await append(log, [later("once", at)]);
    const waiting = { id: "once", duplicate: true, deliverAt: at };
    expect(await append(log, [later("once", at + MINUTE)])).toMatchObject([waiting]);
    expect(await append(log, [makeDraft({ id: "once", data: `,"data":"once"` })])).toMatchObject([waiting]);
    const other = makeAppend([makeDraft({ id: "once", data: ',"data":1' })]);
    expect(failureOf(await log.append(other)).code).toBe("event_id_conflict");
    vi.setSystemTime(at);
    await runDurableObjectAlarm(log);
    const known = { id: "once", offset: 1, keyVersion: null, duplicate: true };
    expect(await append(log, [later("once", at + MINUTE)])).toEqual([known]);
    expect(valueOf(await log.find(makeLife(), "once"))).toContain('"offset":1');
  });

  it("[TIME-2] without an id of its own gets one at once, which finds it when it is there", async () => {
    const log = openTopicLog();
    const request = { key: "request", fingerprint: "f" };
    const [receipt] = await append(log, [makeDraft({ deliverAt: NOW + MINUTE })], { request });
    const [again] = await append(log, [makeDraft({ deliverAt: NOW + MINUTE })], { request });
    expect(again).toEqual({ ...receipt, duplicate: true });
    vi.setSystemTime(NOW + MINUTE);
    await runDurableObjectAlarm(log);
    expect(valueOf(await log.find(makeLife(), receipt!.id))).toContain('"offset":1');
  });

  it("[TIME-3] waits with its batch or not at all", async () => {
    const log = openTopicLog();
    const life = makeLife({ index: "version" });
    const refused = makeDraft({ key: "k", expectedKeyVersion: 7 });
    const batch = makeAppend([later("a", NOW + MINUTE), makeDraft({ id: "b" }), refused], { life });
    expect(failureOf(await log.append(batch)).code).toBe("version_conflict");
    expect(valueOf(await log.waiting(life, ALL)).items).toEqual([]);
    expect(await append(log, [later("a", NOW + MINUTE), makeDraft({ id: "b" })], { life })).toMatchObject([
      { id: "a", deliverAt: NOW + MINUTE },
      { id: "b", offset: 1 },
    ]);
  });

  it("[TIME-3] gets its key's version when it is appended", async () => {
    const log = openTopicLog();
    const life = makeLife({ index: "version" });
    await append(log, [makeDraft({ key: "k", deliverAt: NOW + MINUTE })], { life });
    await append(log, [makeDraft({ key: "k" })], { life });
    vi.setSystemTime(NOW + MINUTE);
    await runDurableObjectAlarm(log);
    expect(await readAll(log)).toMatchObject([{ keyversion: 1 }, { keyversion: 2 }]);
  });

  it("[TIME-5] is one of a bounded number", async () => {
    const log = openTopicLog();
    await append(log, [later("first", NOW + MINUTE)]);
    await runInDurableObject(log, (_log, { storage }) =>
      storage.sql.exec(
        `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
         INSERT INTO scheduled (due, id, source, fingerprint, producer, draft)
         SELECT ?2, 'filler-' || i, '/', '', '', '{}' FROM n`,
        LIMITS.SCHEDULED_EVENTS_MAX - 1,
        NOW + 2 * MINUTE,
      ),
    );
    await evictDurableObject(log);
    const refused = failureOf(await log.append(makeAppend([later("many", NOW + MINUTE)])));
    expect(refused).toMatchObject({ code: "too_many_scheduled", limit: LIMITS.SCHEDULED_EVENTS_MAX });
    expect(await append(log, [later("first", NOW + MINUTE)])).toMatchObject([{ duplicate: true }]);
  });

  it("[TIME-6] ends with the life of its topic", async () => {
    const log = openTopicLog();
    await append(log, [later("a", NOW + MINUTE)]);
    const life = makeLife({ epoch: 2_000 });
    await append(log, [later("b", NOW + MINUTE)], { life });
    vi.setSystemTime(NOW + MINUTE);
    await runDurableObjectAlarm(log);
    expect(eventsOf(valueOf(await log.read(makeRead({ life })))).map(({ id }) => id)).toEqual(["b"]);
    await append(log, [later("c", NOW + 2 * MINUTE)], { life });
    await log.retire(3_000);
    vi.setSystemTime(NOW + 2 * MINUTE);
    await runDurableObjectAlarm(log);
    expect(await alarmOf(log)).toBeNull();
  });
});

/** One year of a log whose clock, alarms and memory misbehave; the model is a list of what was asked. */
async function liveThrough(seed: number): Promise<void> {
  const random = seededRandom(seed);
  const log = openTopicLog();
  const below = (limit: number): number => Math.floor(random() * limit);
  const wanted = new Map<string, number>();
  let now = NOW;
  for (let step = 0; step < 120; step += 1) {
    const roll = below(10);
    if (roll < 4) {
      const fresh = Array.from({ length: 1 + below(4) }, (_, index) => `e${step}-${index}`);
      for (const id of fresh) wanted.set(id, now + below(30 * 24 * 60) * MINUTE);
      const drafts = fresh.map((id) => later(id, wanted.get(id)!));
      await append(log, drafts);
      if (below(2) === 0) await append(log, drafts); // A repeat is no second event.
    } else if (roll < 5) {
      await log.status(makeLife()); // Only who is awake can be evicted.
      await evictDurableObject(log);
    } else if (roll < 6) vi.setSystemTime((now -= below(60) * MINUTE));
    else if (roll < 7) vi.setSystemTime((now += below(3 * 24 * 60) * MINUTE));
    else if (roll < 8) {
      const known = [...wanted.keys()];
      const id = known[below(known.length)];
      if (id !== undefined && valueOf(await log.cancel(makeLife(), id, null)) > 0) wanted.delete(id);
    } else {
      vi.setSystemTime((now = Math.max(now, (await alarmOf(log)) ?? now)));
      for (let times = 0; times < 2; times += 1) await runDurableObjectAlarm(log);
    }
  }
  vi.setSystemTime(now + 366 * 24 * 60 * MINUTE);
  await append(log, [makeDraft({ id: "last" })]);
  const events = await readAll(log);
  expect(events.map(({ id }) => id).toSorted()).toEqual([...wanted.keys(), "last"].toSorted());
  for (const { id, appendedat } of events) expect(Date.parse(appendedat)).toBeGreaterThanOrEqual(wanted.get(id) ?? 0);
}

const SEED = Math.floor(Math.random() * 1e9);

it.each([1, 2, 3, SEED])(
  "[TIME-1] is appended once and never early, whatever becomes of clock, alarm and memory (seed %i)",
  liveThrough,
);

describe("what waits", () => {
  it("[TIME-4] is listed in the order of its times, page by page, and bounded by bytes", async () => {
    const log = openTopicLog();
    await append(
      log,
      ["c", "a", "b"].map((id, index) => later(id, NOW + [3, 1, 2][index]! * MINUTE)),
    );
    const first = valueOf(await log.waiting(makeLife(), { ...ALL, limit: 2 }));
    expect(first).toMatchObject({ items: [{ id: "a" }, { id: "b" }], isLast: false });
    const { deliverAt, seq } = first.items.at(-1)!;
    const rest = valueOf(await log.waiting(makeLife(), { ...ALL, limit: 2, after: { deliverAt, seq } }));
    expect(rest).toMatchObject({ items: [{ id: "c" }], isLast: true });
    expect(valueOf(await log.waiting(makeLife(), { ...ALL, charsMax: 1 }))).toMatchObject({
      items: [{ id: "a" }],
      isLast: false,
    });
  });

  it("[TIME-4] is taken back by who scheduled it, and by nobody else of the producers", async () => {
    const log = openTopicLog();
    await append(log, [later("mine", NOW + MINUTE)], { producer: "key:ada" });
    expect(valueOf(await log.cancel(makeLife(), "mine", "key:bob"))).toBe(0);
    expect(valueOf(await log.waiting(makeLife(), { ...ALL, producer: "key:bob" })).items).toEqual([]);
    expect(valueOf(await log.cancel(makeLife(), "mine", "key:ada"))).toBe(1);
    vi.setSystemTime(NOW + MINUTE);
    await runDurableObjectAlarm(log);
    expect(await idsOf(log)).toEqual([]);
    // Its id is free again: nothing was ever appended under it.
    expect(await append(log, [later("mine", NOW)])).toMatchObject([{ offset: 1, duplicate: false }]);
  });
});

describe("an event with an expiry", () => {
  const short = (id: string) => makeDraft({ id, ttlMs: MINUTE, data: `,"data":"${id}"` });

  it("[TIME-7] is passed by every reader when it has expired, in whole segments and in parts of them", async () => {
    const log = openTopicLog();
    await append(log, [short("a"), makeDraft({ id: "b" }), short("c")]);
    await append(log, [short("d")]);
    await append(log, [makeDraft({ id: "e" })]);
    const bytes = async (eventsMax = 100) => {
      const request = { life: makeLife(), start: { kind: "earliest" } as const, eventsMax, bytesMax: 1_000_000 };
      const { body, ...page } = valueOf(await log.readBytes(request));
      return { ...page, ids: [...new TextDecoder().decode(body).matchAll(/"id":"(\w)"/g)].map((match) => match[1]) };
    };
    expect(await bytes()).toMatchObject({ ids: ["a", "b", "c", "d", "e"], count: 5, through: 5 });
    vi.setSystemTime(NOW + MINUTE);
    expect(await idsOf(log)).toEqual(["b", "e"]);
    expect(await bytes()).toMatchObject({ ids: ["b", "e"], count: 2, through: 5 });
    expect(await bytes(1)).toMatchObject({ ids: [], count: 0, through: 1 });
    const types = valueOf(await log.read(makeRead({ types: ["test.done"] })));
    expect([types.offsets, types.through]).toEqual([[2, 5], 5]);
    expect(valueOf(await log.find(makeLife(), "a"))).toBeNull();
  });

  it("[TIME-7] that waited for its time expires by the time at which it was appended", async () => {
    const log = openTopicLog();
    await append(log, [makeDraft({ id: "a", ttlMs: MINUTE, deliverAt: NOW + MINUTE })]);
    vi.setSystemTime(NOW + MINUTE);
    await runDurableObjectAlarm(log);
    expect(await readAll(log)).toMatchObject([{ id: "a", expirytime: new Date(NOW + 2 * MINUTE).toISOString() }]);
  });

  it("[TIME-7] is only what says so itself: a payload with the same words never expires", async () => {
    const log = openTopicLog();
    await append(log, [makeDraft({ id: "a", data: ',"data":{"x":1,"expirytime":"2001-01-01T00:00:00Z"}' })]);
    expect(await idsOf(log)).toEqual(["a"]);
  });
});
