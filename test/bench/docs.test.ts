import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DOCS_PAGE, replaceTable } from "../../bench/docs.ts";

describe("the tables of docs/benchmarks.md", () => {
  const page = readFileSync(DOCS_PAGE, "utf8");

  it.each(["yardsticks", "peers"] as const)("have a place for the %s that a run can write again and again", (table) => {
    const once = replaceTable(page, table, "| a |");
    const twice = replaceTable(once, table, "| b |");
    expect(once).toContain("| a |");
    expect(twice).toBe(once.replace("| a |", "| b |"));
    const mark = `<!-- bench:${table} -->`;
    expect(twice.slice(0, twice.indexOf(mark))).toBe(page.slice(0, page.indexOf(mark)));
  });

  it("are not written into a page that has no place for them", () => {
    expect(() => replaceTable("# Benchmarks", "peers", "| a |")).toThrow("no <!-- bench:peers -->");
  });
});
