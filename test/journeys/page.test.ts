/** The page in a real browser against a real `npm run dev`. Skipped, and said so, where no Chromium is found. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium } from "../../scripts/lib/chromium.ts";
import { findFreePort } from "../../scripts/lib/ports.ts";
import { HubProcess } from "../harness/hub-process.ts";
import { canReadProcesses } from "../harness/proc.ts";

const executablePath = findChromium(process.env);
if (executablePath === null) console.log("The page's tests are skipped: no Chromium was found.");

const eventIds = (page: Page): Promise<(string | null)[]> =>
  page.locator("#log li").evaluateAll((nodes) => nodes.map((node) => node.getAttribute("data-event")));

/** Keeps the page's sockets within reach, to drop one. */
const KEEP_SOCKETS = `
  globalThis.sockets = [];
  globalThis.WebSocket = class extends WebSocket {
    constructor(...parameters) {
      super(...parameters);
      sockets.push(this);
    }
  };`;

describe.skipIf(executablePath === null || !canReadProcesses)("the page", () => {
  const persistTo = mkdtempSync(join(tmpdir(), "tidings-page-"));
  const complaints: string[] = [];
  let hub: HubProcess;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    hub = await HubProcess.start({ port: await findFreePort(), persistTo, bare: false });
    // Containers give a browser neither a sandbox nor much shared memory.
    const args = ["--no-sandbox", "--disable-dev-shm-usage"];
    browser = await chromium.launch({ executablePath: executablePath!, args });
    page = await open();
  }, 90_000);
  afterAll(async () => {
    await browser?.close();
    await hub?.stop();
    rmSync(persistTo, { recursive: true, force: true });
  });

  async function open(prepare: (opened: Page) => Promise<void> = async () => {}): Promise<Page> {
    const opened = await browser.newPage({ viewport: { width: 1_400, height: 900 } });
    await prepare(opened);
    opened.on("pageerror", (error) => complaints.push(error.message));
    opened.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("404")) complaints.push(message.text());
    });
    await opened.goto(hub.url.replace("127.0.0.1", "localhost"));
    await opened.locator('#connection[data-state="live"]').waitFor();
    return opened;
  }

  const placeOrder = async (): Promise<string> => {
    const answer = page.locator("#order-answer");
    const before = await answer.textContent();
    await page.getByRole("button", { name: "Place order" }).click();
    await expect.poll(() => answer.textContent()).not.toBe(before);
    return /^Order (ord-\w+) stands in the log/.exec(await answer.innerText())![1]!;
  };
  const entries = (orderId: string, where = page) => where.locator("#log li", { hasText: orderId });
  const letter = (orderId: string) => page.locator("#dead-letters > li", { hasText: orderId });
  const count = (name: string, figure: string) =>
    page.locator(`[data-subscription="${name}"] [data-count="${figure}"] dd`);

  it("[EX-5] shows an order live, from the order to the stock, newest first", async () => {
    const orderId = await placeOrder();
    await entries(orderId).nth(3).waitFor();
    const topics = await entries(orderId).locator(".topic").allInnerTexts();
    expect(topics).toEqual(["stock.updated", "stock.updated", "payment.confirmed", "order.created"]);
  });

  it("[EX-5] places an order once however often it is sent", async () => {
    const orderId = await placeOrder();
    await entries(orderId).nth(3).waitFor();
    await page.getByRole("button", { name: "Send it again" }).click();
    await page.getByText("a duplicate, nothing appended").waitFor();
    expect(await entries(orderId).count()).toBe(4);
  });

  it("[EX-6] shows what Fulfillment could not take, and delivers it after the repair and a redrive", async () => {
    const orderId = await placeOrder();
    await letter(orderId).waitFor();
    expect(await letter(orderId).innerText()).toContain("500 fulfillment used up its attempts");
    expect(await letter(orderId).innerText()).toContain("label printer");
    expect(await letter(orderId).locator("summary").innerText()).toBe("3 attempts");

    await page.getByRole("button", { name: "Repair Fulfillment" }).click();
    await page.getByText("Fulfillment works").waitFor();
    await page.getByRole("button", { name: `Redrive payment.confirmed ${orderId}` }).click();
    await letter(orderId).waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Redrive all" }).click();
    await page.getByText("No dead letters").waitFor();
    // Its three orders of this file, each delivered once.
    await count("fulfillment", "delivered").getByText("3", { exact: true }).waitFor();
    expect(await count("fulfillment", "dead").innerText()).toBe("0");
  });

  it("[EX-7] pauses a subscription, whose events then wait, and resumes it", async () => {
    await page.getByRole("button", { name: "Pause notification" }).click();
    await page.locator('[data-subscription="notification"][data-state="paused"]').waitFor();
    const before = Number(await count("notification", "delivered").innerText());
    const orderId = await placeOrder();
    await entries(orderId).nth(3).waitFor();
    await page.locator('[data-subscription="notification"] .some[data-count="lag"]').waitFor();
    await page.getByRole("button", { name: "Resume notification" }).click();
    await count("notification", "delivered")
      .getByText(String(before + 2), { exact: true })
      .waitFor();
  });

  it("[EX-7] shows a reader who comes later the same log", async () => {
    const shown = await eventIds(page);
    const later = await open();
    await expect.poll(async () => (await eventIds(later)).toSorted()).toEqual(shown.toSorted());
    await later.close();
  });

  it("[EX-7] resumes after a drop: what happened meanwhile comes once and nothing comes again", async () => {
    const dropped = await open(async (opened) => void (await opened.addInitScript(KEEP_SOCKETS)));
    await expect.poll(() => eventIds(dropped)).toHaveLength((await eventIds(page)).length);
    await dropped.evaluate("sockets[0].close(4000)");
    await dropped.locator('#connection[data-state="lost"]').waitFor();
    const orderId = await placeOrder();
    await entries(orderId).nth(3).waitFor();
    await entries(orderId, dropped).nth(3).waitFor();
    expect(await dropped.evaluate("sockets.length")).toBe(2);
    expect((await eventIds(dropped)).toSorted()).toEqual((await eventIds(page)).toSorted());
    await dropped.close();
  });

  it("[EX-8] shows what came over the wire as text, never as markup", async () => {
    const name = `<img src="x" onerror="document.title='taken'">`;
    const order = { id: "ord-markup", customerName: name, items: [], total: 1 };
    await hub.request("/v1/topics/order.created/events", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ type: "order.created", key: order.id, data: order }),
    });
    await page.locator("#log .words", { hasText: name }).first().waitFor();
    expect(await page.locator("#log img").count()).toBe(0);
    expect(await page.title()).toBe("Orders · Tidings");
  });

  it.each([360, 1_400])("[EX-8] fits %i px without scrolling sideways", async (width) => {
    await page.setViewportSize({ width, height: 900 });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
  });

  it("[EX-8] breaks none of its own rules: no script error, nothing refused by its policy", () => {
    expect(complaints).toEqual([]);
  });
});
