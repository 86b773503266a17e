/** The demo against a hub that was started as a person starts it. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findFreePort } from "../../scripts/lib/ports.ts";
import { REPOSITORY } from "../harness/bundle.ts";
import { HubProcess } from "../harness/hub-process.ts";
import { canReadProcesses } from "../harness/proc.ts";

const DEMO = join(REPOSITORY, "examples", "orders", "demo.ts");

interface Told {
  readonly code: number;
  readonly text: string;
}

async function tellStory(url: string): Promise<Told> {
  const run = promisify(execFile)(process.execPath, [DEMO, "--url", url]);
  return run.then(
    ({ stdout, stderr }) => ({ code: 0, text: stdout + stderr }),
    ({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }) => ({ code, text: stdout + stderr }),
  );
}

async function readDelivered(hub: HubProcess, subscription: string): Promise<number> {
  const response = await hub.request(`/v1/subscriptions/${subscription}`);
  return ((await response.json()) as { stats: { delivered: number } }).stats.delivered;
}

describe.skipIf(!canReadProcesses)("npm run demo", () => {
  const persistTo = mkdtempSync(join(tmpdir(), "tidings-demo-"));
  let hub: HubProcess;

  beforeAll(async () => {
    hub = await HubProcess.start({ port: await findFreePort(), persistTo, bare: false });
  }, 90_000);
  afterAll(async () => {
    await hub.stop();
    rmSync(persistTo, { recursive: true, force: true });
  });

  it("[EX-3, EX-13] tells the whole story, twice if asked, and ends with 0", async () => {
    for (const round of [1, 2]) {
      const { code, text } = await tellStory(hub.url);
      expect({ code, text: code === 0 ? "" : text }, `round ${round}`).toEqual({ code: 0, text: "" });
      expect(text).toContain("duplicate, nothing appended");
      expect(text).toMatch(/Analytics has counted order.created up to offset \d+, our last order/);
      expect(text).toContain("sequenceDiagram");
      expect(text).toContain("attempts_exhausted");
      expect(text).toContain("all 3 orders are in the warehouse");
      expect(text).toMatch(/fulfillment +(\d+) = \1 \+ 0 \+ 0 \+ 0 \+ 0 \+ 0, lag 0/);
    }
  }, 90_000);

  it("[EX-4, TGT-8] gives every consumer its events, the Worker beside it too, Analytics all of them once", async () => {
    const names = ["payment", "notification", "analytics", "loyalty"];
    const delivered = await Promise.all(names.map((name) => readDelivered(hub, name)));
    // Two rounds of three orders: an order is four events, and Notification hears of two of them.
    expect(delivered).toEqual([6, 12, 24, 6]);
  });
});

it("[EX-3] says how to start a hub when there is none, and ends with 1", async () => {
  const { code, text } = await tellStory(`http://127.0.0.1:${await findFreePort()}`);
  expect(code).toBe(1);
  expect(text).toContain("npm run dev");
});
