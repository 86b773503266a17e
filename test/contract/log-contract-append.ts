/** Order, batches and conditions. */
import { describe, expect, it } from "vitest";
import { appendedOf, eventsOf, failureOf, makeAppend, makeDraft, makeDrafts, makeLife } from "../builders/log.ts";
import type { OpenLog } from "./log-under-test.ts";

const step = (expectedKeyVersion: number) => makeDraft({ key: "k", expectedKeyVersion });
const offsetsOf = (events: readonly { readonly offset: number }[]): number[] => events.map(({ offset }) => offset);
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

export function appendContract(openLog: OpenLog): void {
  describe("append", () => {
    it("[LOG-1] gives offsets 1, 2, 3 … without a gap, in the order of the drafts and of the requests", async () => {
      const log = openLog();
      expect(offsetsOf(await log.append(makeDrafts(3)))).toEqual([1, 2, 3]);
      expect(offsetsOf(await log.append(makeDrafts(2, 4)))).toEqual([4, 5]);
      const page = await log.read();
      expect(page.offsets).toEqual([1, 2, 3, 4, 5]);
      expect(eventsOf(page).map(({ data }) => data)).toEqual([1, 2, 3, 4, 5]);
    });

    it("[LOG-1] keeps them dense under many requests at once, and each request's events together", async () => {
      const log = openLog();
      const sizes = Array.from({ length: 120 }, (_, index) => 1 + (index % 5));
      const answers = await Promise.all(sizes.map((size) => log.append(makeDrafts(size))));
      for (const [index, events] of answers.entries()) {
        const first = events[0]!.offset;
        expect(offsetsOf(events)).toEqual(upTo(sizes[index]!).map((at) => first + at - 1));
      }
      const all = answers.flatMap(offsetsOf).toSorted((left, right) => left - right);
      expect(all).toEqual(upTo(sizes.reduce((sum, size) => sum + size, 0)));
    });

    it("[LOG-2] appends a batch whole or not at all", async () => {
      const log = openLog();
      await log.append([makeDraft({ id: "one" })]);
      const batch = [makeDraft(), makeDraft({ id: "one", data: ',"data":"other"' }), makeDraft()];
      expect(failureOf(await log.rpc.append(makeAppend(batch))).code).toBe("event_id_conflict");
      expect((await log.read()).head).toBe(1);
    });

    it("[LOG-3] lets no refused request fail those that arrive with it", async () => {
      const log = openLog();
      const requests = upTo(60).map((index) =>
        index % 3 === 0 ? makeAppend(makeDrafts(4), { ifMatch: 1_000_000 }) : makeAppend(makeDrafts(2)),
      );
      const answers = await Promise.all(requests.map((request) => log.rpc.append(request)));
      const refused = answers.filter((answer) => !answer.ok);
      expect(refused).toHaveLength(20);
      expect(refused.every((answer) => failureOf(answer).code === "version_conflict")).toBe(true);
      const offsets = answers.flatMap((answer) => (answer.ok ? offsetsOf(appendedOf(answer).events) : []));
      expect(offsets.toSorted((left, right) => left - right)).toEqual(upTo(80));
      expect((await log.read()).offsets).toEqual(upTo(80));
    });

    it("[LOG-4] appends under If-Match only when the last offset is the one named, and says which it is", async () => {
      const log = openLog();
      await log.append(makeDrafts(1), { ifMatch: 0 });
      await log.append(makeDrafts(2), { ifMatch: 1 });
      const refusal = failureOf(await log.rpc.append(makeAppend(makeDrafts(1), { ifMatch: 1 })));
      expect(refusal).toMatchObject({ code: "version_conflict", actual: 3 });
      expect((await log.read()).head).toBe(3);
    });

    it("[LOG-4] answers a repeat with its own ids although the log has moved past the offset it names", async () => {
      const log = openLog();
      const batch = [makeDraft({ id: "a" }), makeDraft({ id: "b" })];
      await log.append(batch, { ifMatch: 0 });
      expect(await log.append(batch, { ifMatch: 0 })).toMatchObject([
        { offset: 1, duplicate: true },
        { offset: 2, duplicate: true },
      ]);
    });

    it("[LOG-5] lets exactly one of 200 writers pass who all saw the same last offset", async () => {
      const log = openLog();
      const answers = await Promise.all(upTo(200).map(() => log.rpc.append(makeAppend(makeDrafts(1), { ifMatch: 0 }))));
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
      expect((await log.read()).head).toBe(1);
    });
  });

  describe.each(["version", "key"] as const)("with index %s", (index) => {
    const life = makeLife({ index });

    it("[LOG-6] counts the events of each key, and takes an event only at the version its producer saw", async () => {
      const log = openLog();
      const versions = async (key: string, expectedKeyVersion: number | null) =>
        log.rpc.append(makeAppend([makeDraft({ key, expectedKeyVersion })], { life }));
      expect(appendedOf(await versions("a", 0)).events[0]!.keyVersion).toBe(1);
      expect(appendedOf(await versions("b", 0)).events[0]!.keyVersion).toBe(1);
      expect(appendedOf(await versions("a", null)).events[0]!.keyVersion).toBe(2);
      expect(failureOf(await versions("a", 1))).toMatchObject({ code: "version_conflict", actual: 2 });
      expect(appendedOf(await versions("a", 2)).events[0]!.keyVersion).toBe(3);
      expect((await log.read({ life })).head).toBe(4);
    });

    it("[LOG-6] lets exactly one of 200 racing writers pass at one version of a key", async () => {
      const log = openLog();
      const request = makeAppend([makeDraft({ key: "cart", expectedKeyVersion: 0 })], { life });
      const answers = await Promise.all(upTo(200).map(() => log.rpc.append(request)));
      expect(answers.filter(({ ok }) => ok)).toHaveLength(1);
      const refusals = answers.flatMap((answer) => (answer.ok ? [] : [answer.failure]));
      expect(refusals.every(({ code, actual }) => code === "version_conflict" && actual === 1)).toBe(true);
      expect((await log.read({ life })).head).toBe(1);
    });

    it("[LOG-6] counts within a batch, and takes the count back when the batch is refused", async () => {
      const log = openLog();
      expect((await log.append([step(0), step(1)], { life })).map(({ keyVersion }) => keyVersion)).toEqual([1, 2]);
      expect(failureOf(await log.rpc.append(makeAppend([step(2), step(2)], { life }))).actual).toBe(3);
      expect((await log.append([step(2)], { life }))[0]!.keyVersion).toBe(3);
    });

    it("[LOG-6] remembers versions over an eviction and when every event of the key is gone", async () => {
      const log = openLog();
      await log.append([makeDraft({ key: "k" }), makeDraft({ key: "k" })], { life });
      const shorter = { ...life, revision: 2, retention: { maxEvents: 1 } };
      await log.append(makeDrafts(3), { life: shorter });
      await log.settle();
      await log.evict();
      expect((await log.append([step(2)], { life: shorter }))[0]!.keyVersion).toBe(3);
    });
  });

  it("[LOG-6] refuses an expected version where the topic keeps none", async () => {
    const log = openLog();
    const draft = makeDraft({ key: "k", expectedKeyVersion: 0 });
    expect(failureOf(await log.rpc.append(makeAppend([draft]))).code).toBe("index_required");
  });
}
