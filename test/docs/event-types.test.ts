import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "..", "..");
const ROW = /^\|.*\| ([A-Z]+-\d+) \| `(test\/\S+\.test\.ts)` \|$/gm;

it("[EVT-1] each kind of event in docs/event-types.md names a promise, and a test that proves it", () => {
  const text = readFileSync(join(ROOT, "docs", "event-types.md"), "utf8");
  const rows = [...text.matchAll(ROW)].map(([, promise, file]) => ({ promise: promise!, file: file! }));
  expect(rows.length).toBe(14);
  const unproved = rows.filter(({ promise, file }) => {
    const cites = new RegExp(`\\[([A-Z]+-\\d+, ?)*${promise}[\\],]`);
    return !cites.test(readFileSync(join(ROOT, file), "utf8"));
  });
  expect(unproved).toEqual([]);
});
