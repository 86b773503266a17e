import { describe, expect, it } from "vitest";
import { joinLines } from "../../src/core/event.ts";
import { compileFilter, MATCH_ALL } from "../../src/core/filter.ts";
import { takeEvents } from "../../src/core/ledger-take.ts";

const batch = (offsets: readonly number[], through: number) => ({
  offsets,
  body: joinLines(offsets.map((offset) => `{"data":{"odd":${offset % 2 === 1}}}`)),
  through,
});
const offsetsOf = (taken: { readonly events: readonly { readonly offset: number }[] }) =>
  taken.events.map(({ offset }) => offset);

describe("what a subscription takes from a batch", () => {
  it("[DLV-13] is everything, when there is room, up to what the batch covers", () => {
    const taken = takeEvents(batch([1, 2, 5], 9), 0, 10, MATCH_ALL);
    expect(offsetsOf(taken)).toEqual([1, 2, 5]);
    expect(taken.through).toBe(9);
  });

  it("[DLV-13] leaves out what was examined before", () => {
    const taken = takeEvents(batch([1, 2, 3], 3), 2, 10, MATCH_ALL);
    expect(offsetsOf(taken)).toEqual([3]);
    expect(taken.through).toBe(3);
  });

  it("[DLV-13] never moves the examined offset back", () => {
    expect(takeEvents(batch([1, 2], 2), 7, 10, MATCH_ALL)).toMatchObject({ events: [], through: 7 });
  });

  it("[DLV-13] stops before the first event for which there is no room", () => {
    const taken = takeEvents(batch([1, 2, 3, 4], 4), 0, 2, MATCH_ALL);
    expect(offsetsOf(taken)).toEqual([1, 2]);
    expect(taken.through).toBe(2);
  });

  it("[DLV-13] counts what does not match as examined, behind the last that fits as well", () => {
    const odd = compileFilter({ data: { odd: [true] } });
    const taken = takeEvents(batch([1, 2, 3, 4, 5], 5), 0, 2, odd);
    expect(offsetsOf(taken)).toEqual([1, 3]);
    expect(taken.through).toBe(4);
  });

  it("[DLV-13] is nothing from an empty batch, which still says how far the log has looked", () => {
    expect(takeEvents({ offsets: [], body: "", through: 12 }, 4, 5, MATCH_ALL)).toMatchObject({
      events: [],
      through: 12,
    });
  });
});
