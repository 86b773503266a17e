/** Pages: where they begin, where they end, what they leave out, and what is said when something is gone. */
import { describe, expect, it, vi } from "vitest";
import { after, EARLIEST, eventsOf, failureOf, makeDraft, makeDrafts, makeLife, makeRead } from "../builders/log.ts";
import { MORNING, type LogUnderTest, type OpenLog } from "./log-under-test.ts";

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);
const from = (first: number, last: number): number[] => upTo(last - first + 1).map((at) => first + at - 1);

const keyAt = (at: number): string | null => (at % 2 === 0 ? `k${at % 4}` : null);

/** Ten segments of ten events, a minute apart. */
async function fill(log: LogUnderTest): Promise<void> {
  for (let segment = 0; segment < 10; segment += 1) {
    vi.setSystemTime(MORNING + segment * 60_000);
    await log.append(makeDrafts(10, segment * 10 + 1));
  }
}

export function readContract(openLog: OpenLog): void {
  describe("read", () => {
    it("[LOG-12] begins at the earliest, the latest, behind an offset or at a time", async () => {
      const log = openLog();
      await fill(log);
      expect((await log.read()).offsets).toEqual(upTo(100));
      expect(await log.read({ start: { kind: "latest" } })).toMatchObject({
        after: 100,
        offsets: [],
        through: 100,
        gap: null,
      });
      expect((await log.read({ start: after(94) })).offsets).toEqual(from(95, 100));
      const time = async (ms: number) => (await log.read({ start: { kind: "time", at: MORNING + ms } })).offsets[0];
      expect(await time(-1)).toBe(1);
      expect(await time(0)).toBe(1);
      expect(await time(1)).toBe(11);
      expect(await time(300_000)).toBe(51);
      expect(await time(300_001)).toBe(61);
      expect(await time(900_000)).toBeUndefined();
    });

    it("[LOG-12] reads any range line by line, whatever segments it cuts", async () => {
      const log = openLog();
      await fill(log);
      for (const [first, last] of [
        [1, 1],
        [5, 17],
        [10, 11],
        [11, 20],
        [99, 100],
      ] as const) {
        const page = await log.read({ start: after(first - 1), until: last });
        expect(page).toMatchObject({ after: first - 1, offsets: from(first, last), through: last, head: 100 });
        expect(eventsOf(page).map(({ offset, data }) => [offset, data])).toEqual(
          from(first, last).map((at) => [at, at]),
        );
      }
    });

    it("[LOG-13] pages of any size give every event once, in order", async () => {
      const log = openLog();
      await fill(log);
      for (const eventsMax of [1, 7, 10, 33]) {
        const seen: number[] = [];
        for (let at = 0; at < 100;) {
          const page = await log.read({ start: after(at), eventsMax });
          expect(page.offsets.length).toBeLessThanOrEqual(eventsMax);
          expect(page.through).toBeGreaterThan(at);
          seen.push(...page.offsets);
          at = page.through;
        }
        expect(seen).toEqual(upTo(100));
      }
    });

    it("[LOG-13] ends a page at its bytes, but never before its first event", async () => {
      const log = openLog();
      await log.append(upTo(10).map(() => makeDraft({ data: `,"data":"${"x".repeat(1_000)}"` })));
      const page = await log.read({ bytesMax: 3_000 });
      expect(page.offsets).toEqual([1, 2]);
      expect(page.through).toBe(2);
      expect((await log.read({ start: after(2), bytesMax: 1 })).offsets).toEqual([3]);
    });

    it("[LOG-13] with room for nothing only says where it would begin", async () => {
      const log = openLog();
      await fill(log);
      expect(await log.read({ start: after(41), eventsMax: 0, bytesMax: 0 })).toMatchObject({
        after: 41,
        offsets: [],
        through: 41,
        head: 100,
        firstHeld: 1,
      });
    });

    it("[LOG-14] gives only the types and keys asked for, and looks past the others", async () => {
      const log = openLog();
      await log.append(upTo(60).map((at) => makeDraft({ type: `t${at % 3}`, key: keyAt(at) })));
      expect((await log.read({ types: ["t0"] })).offsets).toEqual(upTo(60).filter((at) => at % 3 === 0));
      expect((await log.read({ types: ["t0", "t1"], keys: ["k2"] })).offsets).toEqual(
        upTo(60).filter((at) => at % 3 !== 2 && at % 4 === 2),
      );
      const page = await log.read({ keys: ["nobody"] });
      expect(page).toMatchObject({ offsets: [], body: "", through: 60 });
      const short = await log.read({ types: ["t0"], eventsMax: 2 });
      expect(short.offsets).toEqual([3, 6]);
      expect(short.through).toBeLessThan(9);
    });

    it("[LOG-15] reads one key's stream through its index, in pages", async () => {
      const log = openLog();
      const life = makeLife({ index: "key" });
      for (let round = 0; round < 30; round += 1) {
        await log.append([makeDraft({ key: "a" }), makeDraft({ key: "b" }), makeDraft()], { life });
      }
      const expected = upTo(30).map((at) => at * 3 - 2);
      expect((await log.read({ life, keyStream: "a" })).offsets).toEqual(expected);
      const page = await log.read({ life, keyStream: "a", start: after(10), eventsMax: 5 });
      expect(page.offsets).toEqual([13, 16, 19, 22, 25]);
      expect((await log.read({ life, keyStream: "a", start: after(page.through) })).offsets).toEqual(expected.slice(9));
      expect((await log.read({ life, keyStream: "nobody" })).offsets).toEqual([]);
      expect((await log.read({ life, keyStream: "a", until: 10 })).offsets).toEqual([1, 4, 7, 10]);
    });

    it("[LOG-15] skips no event of a long key's stream that a filter thins out", async () => {
      const log = openLog();
      const life = makeLife({ index: "key" });
      for (let round = 0; round < 3; round += 1) {
        await log.append(
          upTo(400).map(() => makeDraft({ key: "a", type: "noise" })),
          { life },
        );
      }
      await log.append([makeDraft({ key: "a", type: "signal" })], { life });
      const seen: number[] = [];
      let at = 0;
      while (at < 1_201) {
        const page = await log.read({ life, keyStream: "a", types: ["signal"], start: after(at) });
        seen.push(...page.offsets);
        expect(page.through).toBeGreaterThan(at);
        at = page.through;
      }
      expect(seen).toEqual([1_201]);
    });

    it("[LOG-15] needs the index for it", async () => {
      const log = openLog();
      await log.append([makeDraft({ key: "a" })]);
      expect(failureOf(await log.rpc.read(makeRead({ keyStream: "a" }))).code).toBe("index_required");
    });

    it("[LOG-16] says what is missing: trimmed, ahead of the head, or of another life", async () => {
      const log = openLog();
      const life = makeLife({ retention: { maxEvents: 5 } });
      await log.append(makeDrafts(20), { life });
      await log.settle();
      expect(await log.read({ life, start: after(3) })).toMatchObject({
        after: 15,
        offsets: from(16, 20),
        gap: { partition: 0, requested: 4, firstHeld: 16, reason: "trimmed" },
      });
      expect((await log.read({ life, start: after(14) })).gap).toMatchObject({ requested: 15, reason: "trimmed" });
      expect((await log.read({ life, start: after(15) })).gap).toBeNull();
      expect((await log.read({ life, start: after(20) })).gap).toBeNull();
      expect(await log.read({ life, start: after(21) })).toMatchObject({
        after: 20,
        offsets: [],
        gap: { requested: 22, reason: "ahead" },
      });
      expect(await log.read({ life, start: after(18, 999) })).toMatchObject({
        offsets: from(16, 20),
        gap: { requested: 19, firstHeld: 16, reason: "epoch" },
      });
      expect((await log.read({ life, start: EARLIEST })).gap).toBeNull();
    });

    it("[LOG-16] gives lines by offset, and null for what it does not hold", async () => {
      const log = openLog();
      const life = makeLife({ retention: { maxEvents: 5 } });
      await log.append(makeDrafts(8), { life });
      await log.settle();
      const lines = await log.rpc.lines(life.epoch, [3, 4, 8, 9]);
      const offsets = lines.map((line) => (line === null ? null : (JSON.parse(line) as { offset: number }).offset));
      expect(offsets).toEqual([null, 4, 8, null]);
      expect(await log.rpc.lines(life.epoch + 1, [4])).toEqual([null]);
    });
  });
}
