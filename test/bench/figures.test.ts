import { describe, expect, it } from "vitest";
import { figuresOf } from "../../bench/figures.ts";
import { formatFigures, formatMiss, formatNumber } from "../../bench/table.ts";

const pair = (name: string, subject: number, baseline: number) => ({
  subject: { [name]: subject },
  baseline: { [name]: baseline },
});

describe("figures", () => {
  it("hold medians, and the median of the pairs' ratios rather than the ratio of the medians", () => {
    const pairs = [pair("events/s", 100, 100), pair("events/s", 300, 150), pair("events/s", 200, 50)];
    const [figure] = figuresOf("publish-1-table", pairs);
    expect(figure).toMatchObject({
      measure: "publish-1-table",
      name: "events/s",
      subject: { median: 200 },
      baseline: { median: 100 },
      ratio: { median: 2, low: 1, high: 4 },
      met: true,
    });
  });

  it.each([
    ["publish-100-table", "events/s", 499, 100, false],
    ["publish-100-table", "events/s", 500, 100, true],
    ["fanout-1000", "deliveries/s", 89, 100, false],
    ["fanout-1000", "deliveries/s", 90, 100, true],
    ["depth-1000000", "p50 ms", 1.2, 1, true],
    ["depth-300000", "p50 ms", 1.3, 1, false],
    ["rows", "rows/event", 0.05, 1, true],
    ["rows", "rows/event", 0.051, 1, false],
  ])("judge %s %s of %d against %d", (measure, name, subject, baseline, met) => {
    expect(figuresOf(measure, [pair(name, subject, baseline)])[0]!.met).toBe(met);
  });

  it("are not judged where nothing was promised", () => {
    expect(figuresOf("publish-1-table", [pair("p99 ms", 5, 1)])[0]).toMatchObject({ target: null, met: null });
  });

  it("stand in one table, a measure named once", () => {
    const [events] = figuresOf("publish-1-table", [pair("events/s", 1_500, 1_000)]);
    const [late] = figuresOf("publish-1-table", [pair("p99 ms", 12.34, 10)]);
    const [rows] = figuresOf("rows", [pair("rows/event", 0.0712, 1)]);
    expect(formatFigures([events!, late!, rows!])).toBe(
      [
        "measure          figure        hub  baseline  ratio   (low–high)      target",
        "──────────────────────────────────────────────────────────────────────────────────",
        "publish-1-table  events/s    1,500     1,000   1.50  (1.50–1.50)       ≥ 1.5  pass",
        "                 p99 ms       12.3      10.0   1.23  (1.23–1.23)",
        "rows             rows/event  0.071      1.00   0.07  (0.07–0.07)  hub ≤ 0.05  MISS",
      ].join("\n"),
    );
  });

  it("that miss say what they were and what they should have been", () => {
    const [slow] = figuresOf("publish-1-table", [pair("events/s", 1_400, 1_000)]);
    const [rows] = figuresOf("rows", [pair("rows/event", 0.0712, 1)]);
    expect([slow!, rows!].map(formatMiss)).toEqual([
      "publish-1-table events/s (1.40, target ≥ 1.5)",
      "rows rows/event (0.071, target hub ≤ 0.05)",
    ]);
  });

  it("are written with the digits that count", () => {
    expect([12_345.6, 99.94, 2.34567, 0.01].map(formatNumber)).toEqual(["12,346", "99.9", "2.35", "0.010"]);
  });
});
