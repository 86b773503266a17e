/** The chat in two real browsers against a real `npm run dev`. Skipped, and said so, where no Chromium is found. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Browser, type BrowserContext, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium } from "../../scripts/lib/chromium.ts";
import { findFreePort } from "../../scripts/lib/ports.ts";
import { CuttableProxy } from "../harness/cuttable-proxy.ts";
import { HubProcess } from "../harness/hub-process.ts";
import { canReadProcesses, membersOfSession } from "../harness/proc.ts";

const executablePath = findChromium(process.env);
if (executablePath === null) console.log("The tests of the chat are skipped: no Chromium was found.");

/** A laptop sleeps for a minute; CHAT_SLEEP_MS=60000 lets this one do so, too. */
const SLEEP_MS = Number(process.env["CHAT_SLEEP_MS"] ?? 4_000);

/** Containers give a browser neither a sandbox nor much shared memory. */
const CONTAINED = ["--no-sandbox", "--disable-dev-shm-usage"];

describe.skipIf(executablePath === null || !canReadProcesses)("the chat", () => {
  const persistTo = mkdtempSync(join(tmpdir(), "tidings-chat-"));
  const complaints: string[] = [];
  let hub: HubProcess;
  const browsers: Browser[] = [];
  let ada: Page;
  let eve: Page;

  beforeAll(async () => {
    hub = await HubProcess.start({ port: await findFreePort(), persistTo, bare: false });
    [ada, eve] = [await enter(await startBrowser(), "Ada"), await enter(await startBrowser(), "Eve")];
  }, 90_000);
  afterAll(async () => {
    await Promise.all(browsers.map((browser) => browser.close()));
    await hub?.stop();
    rmSync(persistTo, { recursive: true, force: true });
  });

  async function startBrowser(): Promise<BrowserContext> {
    const browser = await chromium.launch({ executablePath: executablePath!, args: CONTAINED });
    browsers.push(browser);
    return browser.newContext({ viewport: { width: 1_000, height: 800 } });
  }

  async function enter(context: BrowserContext, name: string, room = "lobby"): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("WebSocket")) complaints.push(message.text());
    });
    await page.goto(`${hub.url.replace("127.0.0.1", "localhost")}/chat/`);
    await page.getByLabel("Your name").fill(name);
    await page.getByLabel("Room").fill(room);
    await page.getByRole("button", { name: "Enter" }).click();
    await page.locator("#chat").waitFor();
    return page;
  }

  async function say(page: Page, text: string): Promise<void> {
    await page.getByRole("textbox", { name: "Message" }).fill(text);
    await page.getByRole("button", { name: "Send" }).click();
  }
  const lines = (page: Page): Promise<string[]> => page.locator("#messages li").allInnerTexts();
  const here = (page: Page): Promise<string[]> => page.locator("#here li").allInnerTexts();

  it("[EX-9] shows each who is here, and what both say, in one order", async () => {
    await expect.poll(() => here(ada)).toEqual(["Ada (you)", "Eve"]);
    await expect.poll(() => here(eve)).toEqual(["Ada", "Eve (you)"]);
    await say(ada, "hello");
    await eve.locator("#messages li", { hasText: "hello" }).waitFor();
    await say(eve, "<b>hi</b>");
    await expect.poll(() => lines(ada)).toEqual(["Ada hello", "Eve <b>hi</b>"]);
    await expect.poll(() => lines(eve)).toEqual(["Ada hello", "Eve <b>hi</b>"]);
  });

  it("[EX-9] tells who is typing, and keeps no trace of it", async () => {
    await ada.getByRole("textbox", { name: "Message" }).pressSequentially("so");
    await eve.locator("#typing", { hasText: "Ada typing" }).waitFor();
    await say(ada, "so it is");
    await eve.locator("#messages li", { hasText: "so it is" }).waitFor();
    expect(await eve.locator("#typing").innerText()).toBe("");
    expect(await ada.locator("#typing").innerText()).toBe("");
  });

  it("[EX-10] shows the history to who comes later, and one member for the two windows of a user", async () => {
    const second = await enter(eve.context(), "Eve");
    await expect.poll(() => lines(second)).toEqual(["Ada hello", "Eve <b>hi</b>", "Ada so it is"]);
    expect(await here(ada)).toEqual(["Ada (you)", "Eve"]);
    await second.close();
    await say(eve, "still here");
    await ada.locator("#messages li", { hasText: "still here" }).waitFor();
    expect(await here(ada)).toEqual(["Ada (you)", "Eve"]);
    const elsewhere = await enter(eve.context(), "Zoe", "attic");
    expect([await lines(elsewhere), await here(elsewhere)]).toEqual([[], ["Zoe (you)"]]);
    await elsewhere.getByRole("button", { name: "Leave" }).click();
    await elsewhere.getByLabel("Your name").waitFor();
    await elsewhere.close();
  });

  it("[EX-10] breaks none of its own rules: no script error, nothing refused by its policy", () => {
    expect(complaints).toEqual([]);
  });

  it(
    "[CLI-16] loses nothing while the machine sleeps: its whole browser stopped, its network gone, then both back",
    async () => {
      const network = await CuttableProxy.open(hub.url);
      const server = await chromium.launchServer({ executablePath: executablePath!, args: CONTAINED });
      const browser = await chromium.connect(server.wsEndpoint());
      browsers.push(browser);
      const context = await browser.newContext();
      await context.addInitScript(`
        // The page's own hub, over a network that can be pulled.
        globalThis.WebSocket = class extends WebSocket {
          constructor(url, ...rest) { super(url.replace(/:\\d+/, ":${new URL(network.url).port}"), ...rest); }
        };
        globalThis.longestSleepMs = 0;
        let tickedAt = Date.now();
        setInterval(() => {
          longestSleepMs = Math.max(longestSleepMs, Date.now() - tickedAt);
          tickedAt = Date.now();
        }, 50);`);
      const page = await enter(context, "Sleeper");
      await page.locator("#messages li").nth(3).waitFor();
      const before = await lines(page);
      const signal = (name: "SIGSTOP" | "SIGCONT"): void => {
        for (const pid of membersOfSession(server.process().pid!)) process.kill(pid, name);
      };
      signal("SIGSTOP");
      for (let n = 1; n <= 20; n += 1) {
        if (n === 10) network.cut();
        await say(ada, `meanwhile ${n}`);
        await ada.waitForTimeout(SLEEP_MS / 20);
      }
      network.mend();
      signal("SIGCONT");
      await page.locator("#messages li", { hasText: "meanwhile 20" }).waitFor();
      const missed = Array.from({ length: 20 }, (_, index) => `Ada meanwhile ${index + 1}`);
      expect(await lines(page)).toEqual([...before, ...missed]);
      await expect.poll(() => here(ada)).toContain("Sleeper");
      expect(await page.evaluate("longestSleepMs"), "the control: it slept").toBeGreaterThanOrEqual(SLEEP_MS);
      await network.close();
    },
    60_000 + 2 * SLEEP_MS,
  );
});
