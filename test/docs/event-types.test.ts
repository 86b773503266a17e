import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const ROW = /^\|.*\| ([A-Z]+-\d+) \| `(test\/\S+\.test\.ts)` \|$/gm;

/** Whether there is a test of the promise that is run: one that is left out proves nothing, nor does a comment. */
function proves(text: string, promise: string): boolean {
  const titles = text.matchAll(new RegExp(`(\\.skip|\\.todo)?\\(\\s*["'\`]\\[([A-Z]+-\\d+, ?)*${promise}[\\],]`, "g"));
  return [...titles].some(([, leftOut]) => leftOut === undefined);
}

it("[EVT-1] each kind of event in docs/event-types.md names a promise, and a test that proves it", () => {
  const text = readFileSync(join(ROOT, "docs", "event-types.md"), "utf8");
  const rows = [...text.matchAll(ROW)].map(([, promise, file]) => ({ promise: promise!, file: file! }));
  expect(rows.length).toBe(14);
  const unproved = rows.filter(({ promise, file }) => !proves(readFileSync(join(ROOT, file), "utf8"), promise));
  expect(unproved).toEqual([]);
  // Controls.
  expect(proves('it.each(ROWS)(\n  "[PUB-1, DLV-1] is so', "DLV-1")).toBe(true);
  for (const text of ['it.skip("[DLV-1] is so', "it(`[DLV-11] is so", "// as [DLV-1] says"])
    expect(proves(text, "DLV-1")).toBe(false);
});
