/** Figures as a table of plain text. */
import type { Figure } from "./figures.ts";
import type { Summary } from "./numbers.ts";
import type { Target } from "./targets.ts";

const HEADINGS = ["measure", "figure", "hub", "baseline", "ratio", "(low–high)", "target", ""] as const;

export function formatFigures(figures: readonly Figure[]): string {
  return formatTable([
    HEADINGS,
    ...figures.map((figure, index) => {
      const repeated = figures[index - 1]?.measure === figure.measure;
      return rowOf(figure, repeated);
    }),
  ]);
}

function rowOf(figure: Figure, repeated: boolean): string[] {
  const { measure, name, subject, baseline, ratio, target, met } = figure;
  return [
    repeated ? "" : measure,
    name,
    formatNumber(subject.median),
    baseline === null ? "–" : formatNumber(baseline.median),
    ratio === null ? "–" : ratio.median.toFixed(2),
    ratio === null ? "" : formatSpread(ratio),
    target === null ? "" : formatTarget(target),
    met === null ? "" : met ? "pass" : "MISS",
  ];
}

export const formatSpread = ({ low, high }: Summary): string => `(${low.toFixed(2)}–${high.toFixed(2)})`;

export const formatTarget = ({ of, bound, value }: Target): string =>
  `${of === "value" ? "hub " : ""}${bound === "at least" ? "≥" : "≤"} ${value}`;

/** Which figure missed what: `read events/s (1.20, target ≥ 2)`. */
export function formatMiss({ measure, name, subject, ratio, target }: Figure): string {
  if (target === null) throw new Error(`${measure} ${name} has no target to miss`);
  const measured = target.of === "ratio" ? ratio!.median.toFixed(2) : formatNumber(subject.median);
  return `${measure} ${name} (${measured}, target ${formatTarget(target)})`;
}

/** Three digits that count, and no more than a reader can use. */
export function formatNumber(value: number): string {
  const size = Math.abs(value);
  if (size >= 100) return Math.round(value).toLocaleString("en-GB");
  return value.toFixed(size >= 10 ? 1 : size >= 1 ? 2 : 3);
}

/** The first two columns stand left, the others right; the first row is the heading. */
export function formatTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_heading, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column]!;
        return column < 2 ? cell.padEnd(width) : cell.padStart(width);
      })
      .join("  ")
      .trimEnd(),
  );
  const [heading = "", ...rest] = lines;
  return [heading, "─".repeat(Math.max(...lines.map((line) => line.length))), ...rest].join("\n");
}
