/** Retention, evictions, and one life of a topic after another. */
import { describe, expect, it, vi } from "vitest";
import {
  after,
  appendedOf,
  eventsOf,
  failureOf,
  makeAppend,
  makeDraft,
  makeDrafts,
  makeLife,
  makeRead,
  valueOf,
} from "../builders/log.ts";
import { MORNING, type OpenLog } from "./log-under-test.ts";

export function lifeContract(openLog: OpenLog): void {
  describe("retention", () => {
    it("[LOG-17] keeps at most so many events", async () => {
      const log = openLog();
      const life = makeLife({ retention: { maxEvents: 7 } });
      for (let round = 0; round < 5; round += 1) await log.append(makeDrafts(5), { life });
      await log.settle();
      const page = await log.read({ life });
      expect(page).toMatchObject({ firstHeld: 19, head: 25, offsets: [19, 20, 21, 22, 23, 24, 25] });
    });

    it("[LOG-17] keeps at most so many bytes", async () => {
      const log = openLog();
      const life = makeLife({ retention: { maxBytes: 10_000 } });
      for (let round = 0; round < 30; round += 1) {
        await log.append([makeDraft({ data: `,"data":"${"x".repeat(1_000)}"` })], { life });
      }
      await log.settle();
      const status = valueOf(await log.rpc.status(life));
      expect(status.bytes).toBeLessThanOrEqual(10_000);
      expect(status.bytes).toBeGreaterThan(8_000);
      expect(status).toMatchObject({ lastOffset: 30, events: 30 - status.firstOffset + 1 });
      expect((await log.read({ life })).offsets[0]).toBe(status.firstOffset);
    });

    it("[LOG-17] keeps what was appended last, however few bytes it may hold", async () => {
      const log = openLog();
      const life = makeLife({ retention: { maxBytes: 10 } });
      for (let round = 0; round < 3; round += 1) await log.append(makeDrafts(1), { life });
      await log.settle();
      expect(await log.read({ life })).toMatchObject({ firstHeld: 3, head: 3, offsets: [3] });
      await log.append(makeDrafts(5), { life });
      await log.settle();
      expect(await log.read({ life })).toMatchObject({ firstHeld: 4, head: 8, offsets: [4, 5, 6, 7, 8] });
    });

    it("[LOG-17] keeps events for so long, and drops them by its own alarm", async () => {
      const log = openLog();
      const life = makeLife({ retention: { maxAgeMs: 60_000 } });
      await log.append(makeDrafts(3), { life });
      vi.setSystemTime(MORNING + 30_000);
      await log.append(makeDrafts(2), { life });
      vi.setSystemTime(MORNING + 60_002);
      expect(await log.runAlarm()).toBe(true);
      expect(await log.read({ life })).toMatchObject({ firstHeld: 4, offsets: [4, 5] });
      vi.setSystemTime(MORNING + 90_002);
      expect(await log.runAlarm()).toBe(true);
      expect(await log.read({ life })).toMatchObject({ firstHeld: 6, head: 5, offsets: [] });
    });

    it("[LOG-18] counts on where it was although every event is trimmed and it was evicted", async () => {
      const log = openLog();
      const life = makeLife({ retention: { maxAgeMs: 1_000 } });
      await log.append(makeDrafts(42), { life });
      vi.setSystemTime(MORNING + 10_000);
      await log.settle();
      await log.evict();
      expect(await log.read({ life })).toMatchObject({ firstHeld: 43, head: 42, offsets: [], gap: null });
      expect((await log.append(makeDrafts(2), { life })).map(({ offset }) => offset)).toEqual([43, 44]);
      await log.evict();
      expect((await log.read({ life, start: after(42) })).offsets).toEqual([43, 44]);
    });

    it("[LOG-19] takes a longer or shorter retention from the newest revision, and never an older one", async () => {
      const log = openLog();
      await log.append(makeDrafts(10), { life: makeLife({ revision: 2, retention: { maxEvents: 8 } }) });
      valueOf(await log.rpc.status(makeLife({ revision: 3, retention: { maxEvents: 4 } })));
      await log.append(makeDrafts(1), { life: makeLife({ revision: 1, retention: {} }) });
      await log.settle();
      expect((await log.read()).firstHeld).toBe(8);
    });

    it("[LOG-19] never moves its time back when the clock does", async () => {
      const log = openLog();
      await log.append(makeDrafts(1));
      vi.setSystemTime(MORNING - 60_000);
      await log.append(makeDrafts(1));
      const times = eventsOf(await log.read()).map(({ appendedat }) => appendedat);
      expect(times).toEqual([new Date(MORNING).toISOString(), new Date(MORNING).toISOString()]);
    });
  });

  describe("epochs", () => {
    it("[LOG-20] begins anew at a greater epoch and shows nothing of the life before", async () => {
      const log = openLog();
      const before = { request: { key: "k", fingerprint: "f" } };
      const [old] = await log.append([makeDraft({ id: "1" }), ...makeDrafts(4)], before);
      const life = makeLife({ epoch: 2_000 });
      expect(await log.read({ life })).toMatchObject({ offsets: [], head: 0, firstHeld: 1 });
      expect(valueOf(await log.rpc.find(life, old!.id))).toBeNull();
      expect(await log.rpc.lines(1_000, [1])).toEqual([null]);
      const anew = [makeDraft({ id: "1", data: ',"data":"new"' })];
      const request = { key: "k", fingerprint: "g" };
      expect(appendedOf(await log.rpc.append(makeAppend(anew, { life, request })))).toMatchObject({
        replayed: false,
        events: [{ offset: 1, duplicate: false }],
      });
      expect((await log.read({ life, start: after(3, 1_000) })).gap).toMatchObject({ reason: "epoch" });
    });

    it("[LOG-20] forgets the versions of keys with the life that they counted", async () => {
      const log = openLog();
      await log.append([makeDraft({ key: "k" })], { life: makeLife({ index: "version" }) });
      const life = makeLife({ epoch: 2_000, index: "version" });
      const [first] = await log.append([makeDraft({ key: "k", expectedKeyVersion: 0 })], { life });
      expect(first!.keyVersion).toBe(1);
    });

    it("[LOG-21] refuses whoever still means an older life, and changes nothing", async () => {
      const log = openLog();
      const life = makeLife({ epoch: 2_000 });
      await log.append(makeDrafts(2), { life });
      await log.evict();
      const stale = makeLife({ epoch: 1_999, revision: 99 });
      expect(failureOf(await log.rpc.append(makeAppend(makeDrafts(1), { life: stale }))).code).toBe("topic_not_found");
      expect(failureOf(await log.rpc.read(makeRead({ life: stale }))).code).toBe("topic_not_found");
      expect(failureOf(await log.rpc.status(stale)).code).toBe("topic_not_found");
      expect((await log.read({ life })).head).toBe(2);
    });

    it("[LOG-21] retired, it refuses the life it had and the epoch of its end, and takes the next", async () => {
      const log = openLog();
      await log.append(makeDrafts(2));
      await log.rpc.retire(1_001);
      await log.evict();
      for (const epoch of [1_000, 1_001]) {
        const request = makeAppend(makeDrafts(1), { life: makeLife({ epoch }) });
        expect(failureOf(await log.rpc.append(request)).code).toBe("topic_not_found");
      }
      expect((await log.append(makeDrafts(1), { life: makeLife({ epoch: 1_002 }) }))[0]!.offset).toBe(1);
      await log.rpc.retire(1_001);
      expect((await log.read({ life: makeLife({ epoch: 1_002 }) })).head).toBe(1);
    });
  });
}
