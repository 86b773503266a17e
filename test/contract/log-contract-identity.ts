/** What makes a publish repeatable, and how one event is found again. */
import { describe, expect, it, vi } from "vitest";
import { appendedOf, failureOf, makeAppend, makeDraft, makeDrafts, makeLife, valueOf } from "../builders/log.ts";
import { MORNING, type OpenLog } from "./log-under-test.ts";

const HOUR = 3_600_000;
const key = (fingerprint: string) => ({ request: { key: "checkout-7", fingerprint } });

export function identityContract(openLog: OpenLog): void {
  describe("ids that clients choose", () => {
    it("[LOG-7] answers an event that comes again with its first offset", async () => {
      const log = openLog();
      await log.append(makeDrafts(2));
      const [first] = await log.append([makeDraft({ id: "order-1" })]);
      expect(first).toEqual({ id: "order-1", offset: 3, keyVersion: null, duplicate: false });
      await log.append(makeDrafts(1));
      const again = await log.append([makeDraft({ id: "order-1", time: "2026-01-01T00:00:00Z" }), makeDraft()]);
      expect(again).toMatchObject([
        { offset: 3, duplicate: true },
        { offset: 5, duplicate: false },
      ]);
    });

    it("[LOG-7] tells apart the same id of two sources", async () => {
      const log = openLog();
      const events = await log.append([makeDraft({ id: "1", source: "/a" }), makeDraft({ id: "1", source: "/b" })]);
      expect(events).toMatchObject([
        { offset: 1, duplicate: false },
        { offset: 2, duplicate: false },
      ]);
    });

    it("[LOG-7] knows the same id twice in one batch", async () => {
      const log = openLog();
      const events = await log.append([makeDraft({ id: "1" }), makeDraft(), makeDraft({ id: "1" })]);
      expect(events).toMatchObject([{ offset: 1, duplicate: false }, { offset: 2 }, { offset: 1, duplicate: true }]);
      expect((await log.read()).head).toBe(2);
    });

    it("[LOG-7] tells the many ids of one request apart, whatever they and their sources hold", async () => {
      const log = openLog();
      const odd = [
        '"',
        "\\",
        "'); --",
        '","',
        "é",
        "😀",
        "\u2028",
        "$[0]",
        "null",
        "1",
        "01",
        "1.0",
        "[1]",
        " ",
        "\u00a0",
      ];
      const drafts = odd.flatMap((id) => odd.map((source) => makeDraft({ id, source })));
      const first = await log.append(drafts);
      expect(first.map(({ offset }) => offset)).toEqual(drafts.map((_, at) => at + 1));
      expect(first.every(({ duplicate }) => !duplicate)).toBe(true);
      const again = await log.append([...drafts, makeDraft({ id: "new" })]);
      expect(again.slice(0, -1)).toEqual(first.map((event) => ({ ...event, duplicate: true })));
      expect(again.at(-1)).toMatchObject({ offset: drafts.length + 1, duplicate: false });
    });

    it("[LOG-7] appends once what fifty requests bring at once", async () => {
      const log = openLog();
      const answers = await Promise.all(Array.from({ length: 50 }, () => log.append([makeDraft({ id: "once" })])));
      expect(answers.filter(([event]) => !event!.duplicate)).toHaveLength(1);
      expect(new Set(answers.map(([event]) => event!.offset))).toEqual(new Set([1]));
    });

    it("[LOG-8] refuses the same id with other content, and says where the first one is", async () => {
      const log = openLog();
      await log.append([makeDraft({ id: "1" })]);
      for (const other of [{ data: ',"data":2' }, { type: "test.undone" }, { key: "k" }]) {
        const refusal = failureOf(await log.rpc.append(makeAppend([makeDraft({ id: "1", ...other })])));
        expect(refusal).toMatchObject({ code: "event_id_conflict", actual: 1 });
      }
      const inOneBatch = [makeDraft({ id: "2" }), makeDraft({ id: "2", data: ',"data":2' })];
      expect(failureOf(await log.rpc.append(makeAppend(inOneBatch))).code).toBe("event_id_conflict");
      expect((await log.read()).head).toBe(1);
    });

    it("[LOG-9] knows an id although its event is trimmed and the log was evicted, for 24 hours", async () => {
      const log = openLog();
      const life = makeLife({ retention: { maxAgeMs: 1_000 } });
      await log.append([makeDraft({ id: "1" }), makeDraft({ id: "2" })], { life });
      vi.setSystemTime(MORNING + HOUR);
      await log.settle();
      expect(await log.read({ life })).toMatchObject({ offsets: [], head: 2, firstHeld: 3 });
      await log.evict();
      vi.setSystemTime(MORNING + 23 * HOUR);
      expect(await log.append([makeDraft({ id: "1" })], { life })).toMatchObject([{ offset: 1, duplicate: true }]);
    });

    it("[LOG-9] forgets an id when its event is gone and its time is over, and not before both", async () => {
      const log = openLog();
      const life = makeLife({ retention: { maxAgeMs: 40 * HOUR } });
      await log.append([makeDraft({ id: "old" })], { life });
      vi.setSystemTime(MORNING + 30 * HOUR);
      await log.append([makeDraft({ id: "young" })], { life });
      await log.settle();
      expect(await log.append([makeDraft({ id: "old" })], { life })).toMatchObject([{ offset: 1, duplicate: true }]);
      vi.setSystemTime(MORNING + 65 * HOUR);
      await log.settle();
      expect(await log.append([makeDraft({ id: "old" }), makeDraft({ id: "young" })], { life })).toMatchObject([
        { offset: 3, duplicate: false },
        { offset: 2, duplicate: true },
      ]);
    });
  });

  describe("requests with a key", () => {
    it("[LOG-10] answers a repeat with the first offsets, and says that it is one", async () => {
      const log = openLog();
      const first = appendedOf(await log.rpc.append(makeAppend(makeDrafts(3), key("a"))));
      expect(first).toMatchObject({ replayed: false, events: [{ offset: 1 }, { offset: 2 }, { offset: 3 }] });
      await log.append(makeDrafts(1));
      await log.evict();
      const again = appendedOf(await log.rpc.append(makeAppend(makeDrafts(3), key("a"))));
      expect(again.replayed).toBe(true);
      expect(again.events).toMatchObject(first.events.map(({ id, offset }) => ({ id, offset, duplicate: true })));
    });

    it("[LOG-10] refuses another body under the same key", async () => {
      const log = openLog();
      await log.append(makeDrafts(1), key("a"));
      expect(failureOf(await log.rpc.append(makeAppend(makeDrafts(1), key("b")))).code).toBe("idempotency_key_reused");
      expect((await log.read()).head).toBe(1);
    });

    it("[LOG-10] appends once when many come at once, also when they share a commit with others", async () => {
      const log = openLog();
      const noise = Array.from({ length: 30 }, () => log.rpc.append(makeAppend(makeDrafts(1))));
      const requests = Array.from({ length: 30 }, () => log.rpc.append(makeAppend(makeDrafts(2), key("a"))));
      const answers = (await Promise.all(requests)).map(appendedOf);
      await Promise.all(noise);
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
      expect(new Set(answers.map(({ events }) => events.map(({ offset }) => offset).join())).size).toBe(1);
      expect((await log.read()).head).toBe(32);
    });

    it("[LOG-10] leaves no trace of a request that was refused", async () => {
      const log = openLog();
      const refused = makeAppend(makeDrafts(1), { ...key("a"), ifMatch: 5 });
      expect(failureOf(await log.rpc.append(refused)).code).toBe("version_conflict");
      expect(appendedOf(await log.rpc.append(makeAppend(makeDrafts(1), key("b")))).replayed).toBe(false);
    });
  });

  describe("find", () => {
    it("[LOG-11] finds an event by a client's id and by a minted one, among many of one millisecond", async () => {
      const log = openLog();
      const minted = (await Promise.all(Array.from({ length: 20 }, () => log.append(makeDrafts(3))))).flat();
      vi.setSystemTime(MORNING + 5_000);
      const [own] = await log.append([makeDraft({ id: 'o"dd é' })]);
      const later = await log.append(makeDrafts(2));
      for (const event of [...minted, own!, ...later]) {
        const line = valueOf(await log.rpc.find(makeLife(), event.id));
        expect(JSON.parse(line!)).toMatchObject({ id: event.id, offset: event.offset });
      }
    });

    it("[LOG-11] finds nothing for ids it never gave, and nothing that is trimmed", async () => {
      const log = openLog();
      const life = makeLife({ retention: { maxEvents: 1 } });
      const [gone] = await log.append([makeDraft({ id: "gone" }), ...makeDrafts(3)], { life });
      const [minted] = await log.append(makeDrafts(2), { life });
      await log.settle();
      for (const id of [gone!.id, minted!.id, "never", "019ab1c2-0000-7000-8000-000000000000", ""]) {
        expect(valueOf(await log.rpc.find(life, id))).toBeNull();
      }
    });
  });
}
