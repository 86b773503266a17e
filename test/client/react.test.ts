/** The hooks in a real browser and a real React, in strict mode. Skipped, and said so, where no Chromium is found. */
import { join } from "node:path";
import { build } from "esbuild";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findChromium } from "../../scripts/lib/chromium.ts";

const executablePath = findChromium(process.env);
if (executablePath === null) console.log("The tests of the React hooks are skipped: no Chromium was found.");

describe.skipIf(executablePath === null)("tidings/react", () => {
  const complaints: string[] = [];
  let script: string;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [join(import.meta.dirname, "react-page.ts")],
      bundle: true,
      write: false,
      format: "iife",
      // Strict mode mounts twice only here.
      define: { "process.env.NODE_ENV": '"development"' },
      tsconfigRaw: "{}",
    });
    script = outputFiles[0]!.text;
    browser = await chromium.launch({
      executablePath: executablePath!,
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
  }, 60_000);
  afterAll(() => browser?.close());

  beforeEach(async () => {
    page = await browser.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    await page.addScriptTag({ content: script });
  });
  afterEach(async () => {
    await page.close();
    expect(complaints.splice(0)).toEqual([]);
  });

  const shows = (id: "log" | "people", text: string) => page.locator(`#${id}`, { hasText: text }).waitFor();
  const text = (id: "log" | "people") => page.locator(`#${id}`).innerText();

  it("[CLI-13] shows a topic's events once each, though strict mode mounts twice", async () => {
    await page.evaluate(`other.publish("presence-rooms.7", { type: "said", data: "one" })`);
    await page.evaluate(`other.publish("presence-rooms.7", { type: "said", data: "two" })`);
    await shows("log", "live|one two||");
    await page.evaluate(`test.drop(); void other.publish("presence-rooms.7", { type: "said", data: "three" })`);
    await shows("log", "lost|one two");
    await page.evaluate(`test.advance(30000)`);
    await shows("log", "live|one two three||");
  });

  it("[CLI-13] renders a backlog at once, and not once an event", async () => {
    await page.evaluate(`change({ isShown: false })`);
    await page.evaluate(`Promise.all(Array.from({ length: 90 }, (_, n) =>
      other.publish("presence-rooms.7", { type: "said", data: n })))`);
    const before = Number(await page.evaluate("renders()"));
    await page.evaluate(`change({ isShown: true })`);
    await shows("log", " 88 89||");
    expect(Number(await page.evaluate("renders()")) - before).toBeLessThan(20);
  });

  it("[CLI-13] shows another topic when it is given one, and says what refuses it", async () => {
    await page.evaluate(`other.publish("presence-rooms.8", { type: "said", data: "there" })`);
    await page.evaluate(`change({ id: "8" })`);
    await shows("log", "live|there||");
    await page.evaluate(`change({ id: "closed" })`);
    await shows("log", "scope_missing");
    await shows("people", "scope_missing");
  });

  it("[CLI-13] says gap where retention took something", async () => {
    await page.evaluate(`other.publish("presence-rooms.7", { type: "said", data: "one" })`);
    await shows("log", "live|one||");
    await page.evaluate(`test.drop()`);
    await page.evaluate(`Promise.all(["two", "three"].map((data) =>
      other.publish("presence-rooms.7", { type: "said", data })))`);
    await page.evaluate(`test.trim("presence-rooms.7", 2); test.advance(30000)`);
    await shows("log", "live|one three|trimmed|");
  });

  it("[CLI-13] is present while it is shown, once, and shows what its data becomes", async () => {
    await shows("people", "ada:calm|");
    await page.evaluate(`other.presence.enter("presence-rooms.7", { mood: "glad" })`);
    await shows("people", "ada:calm eve:glad|");
    await page.evaluate(`change({ mood: "busy" })`);
    await shows("people", "ada:busy eve:glad|");
    expect(await page.evaluate(`test.members("presence-rooms.7").length`)).toBe(2);
    await page.evaluate(`change({ isShown: false })`);
    await expect.poll(() => page.evaluate(`test.members("presence-rooms.7").map(({ id }) => id)`)).toEqual(["eve"]);
    expect(await text("log")).toBe("away");
  });
});
