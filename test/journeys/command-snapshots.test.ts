/** Keys with long streams: what is folded anew, what is not, and what is never trusted. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Decided } from "../builders/command-handlers.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

const LONG = 10_000;

let hub: Hub;

beforeAll(async () => {
  hub = await startHub({
    entry: "test/builders/command-hub.ts",
    consumers: { CONSUMER_COMMANDS: "test/builders/command-worker.ts" },
  });
});
afterAll(() => hub.close());

const define = (topic: string, more: object = {}) =>
  hub.json("PUT", "/v1/commands/tell", { topic, target: { kind: "worker", binding: "CONSUMER_COMMANDS" }, ...more });

const decisions = (): Decided[] =>
  (hub.logs as readonly unknown[] as readonly Decided[]).filter(({ stage }) => stage === "test.decided");

/** What the handler saw, once it has said so. */
async function tell(payload: object = {}): Promise<Pick<Decided, "state" | "version" | "folded">> {
  const before = decisions().length;
  const { status, body } = await hub.json("POST", "/v1/commands/tell", { payload, key: "k" });
  if (status !== 200) throw new Error(JSON.stringify(body));
  const lines = await eventually(decisions, ({ length }) => length > before, "it has decided");
  const { state, version, folded } = lines.at(-1)!;
  return { state, version, folded };
}

async function fill(topic: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += 500) {
    const events = Array.from({ length: Math.min(500, count - from) }, () => ({ type: "filled", key: "k" }));
    expect((await hub.publish(topic, events)).status).toBe(201);
  }
}

const snapshotsOf = (topic: string): Promise<unknown[]> =>
  hub.rows("TopicLog", JSON.stringify(["log", "app_default", topic, 0]), "SELECT version, definition FROM snapshots");

const snapshotAt = (topic: string, version: number) =>
  eventually(
    () => snapshotsOf(topic),
    (rows) => (rows as { version: number }[]).some((row) => row.version === version),
    `a snapshot of version ${version}`,
  );

describe.each([
  ["in the hub", { kind: "listener", name: "tell" }],
  ["in a Worker", { kind: "worker", binding: "CONSUMER_COMMANDS" }],
])("a key of 10,000 events and a handler %s", (where, target) => {
  const topic = `long-${where.length}`;

  it("[CMD-10] is folded once, and from its snapshot from then on", async () => {
    await define(topic, { target });
    await fill(topic, LONG);
    expect(await tell()).toEqual({ state: LONG, version: LONG, folded: LONG });
    await snapshotAt(topic, LONG);
    expect(await tell()).toEqual({ state: LONG + 1, version: LONG + 1, folded: 1 });
    await hub.evictAll("TopicLog");
    expect(await tell()).toEqual({ state: LONG + 2, version: LONG + 2, folded: 2 });
  });
});

describe("a snapshot", () => {
  it("[CMD-10] is kept after each hundred events, one a key and command", async () => {
    await define("hundreds");
    await fill("hundreds", 99);
    await tell();
    expect(await snapshotsOf("hundreds")).toEqual([]);
    await tell();
    await snapshotAt("hundreds", 100);
    await fill("hundreds", 99);
    expect((await tell()).folded).toBe(100);
    await snapshotAt("hundreds", 200);
    expect(await snapshotsOf("hundreds")).toHaveLength(1);
  });

  it("[CMD-10] of another definition of the command, or of other code, is passed over", async () => {
    await define("redefined");
    await fill("redefined", 150);
    await tell();
    await snapshotAt("redefined", 150);
    await define("redefined", { maxAttempts: 7 });
    expect(await tell()).toEqual({ state: 151, version: 151, folded: 151 });
    await snapshotAt("redefined", 151);
    const row = "UPDATE snapshots SET fold = 'tell@0', state = '9000'";
    await hub.rows("TopicLog", JSON.stringify(["log", "app_default", "redefined", 0]), row);
    expect(await tell()).toEqual({ state: 152, version: 152, folded: 152 });
  });

  it("[CMD-10] ends with its topic's life and with its command", async () => {
    await define("ending");
    await fill("ending", 120);
    await tell();
    await snapshotAt("ending", 120);
    await hub.request("/v1/topics/ending", { method: "DELETE" });
    expect(await tell()).toEqual({ state: 0, version: 0, folded: 0 });
    await fill("ending", 120);
    await tell();
    await snapshotAt("ending", 121);
    await hub.request("/v1/commands/tell", { method: "DELETE" });
    await eventually(
      () => snapshotsOf("ending"),
      (rows) => rows.length === 0,
      "its snapshots are gone",
    );
  });

  it("[CMD-11] lets a key live on whose early events retention has taken; without one its commands are refused", async () => {
    await define("trimmed");
    await fill("trimmed", 150);
    await tell();
    await snapshotAt("trimmed", 150);
    const trim = async () => {
      await hub.json("PUT", "/v1/topics/trimmed", { index: "key", retention: { maxEvents: 10 } });
      await eventually(
        () => hub.readAll("trimmed"),
        ({ length }) => length <= 10,
        "most of the log is gone",
      );
    };
    await trim();
    expect(await tell()).toEqual({ state: 151, version: 151, folded: 1 });
    await define("trimmed", { maxAttempts: 7 });
    const refused = await hub.json("POST", "/v1/commands/tell", { payload: {}, key: "k" });
    expect(refused).toMatchObject({ status: 409, body: { code: "key_history_trimmed" } });
    expect((await hub.json("POST", "/v1/commands/tell", { payload: {}, key: "other" })).status).toBe(200);
  });

  it("[CMD-11] of other code stays where a trimmed key cannot be folded anew, however many pages are left", async () => {
    await define("rolled-back");
    await fill("rolled-back", 1_400);
    await tell();
    await snapshotAt("rolled-back", 1_400);
    await hub.json("PUT", "/v1/topics/rolled-back", { index: "key", retention: { maxEvents: 1_200 } });
    await eventually(
      () => hub.readAll("rolled-back"),
      ({ length }) => length <= 1_200,
      "its beginning is gone",
    );
    const log = JSON.stringify(["log", "app_default", "rolled-back", 0]);
    await hub.rows("TopicLog", log, "UPDATE snapshots SET fold = 'tell@0'");
    const refused = await hub.json("POST", "/v1/commands/tell", { payload: {}, key: "k" });
    expect(refused).toMatchObject({ status: 409, body: { code: "key_history_trimmed" } });
    const kept = await hub.rows("TopicLog", log, "SELECT fold, version FROM snapshots");
    expect(kept).toEqual([{ fold: "tell@0", version: 1_400 }]);
    await hub.rows("TopicLog", log, "UPDATE snapshots SET fold = 'tell@1'"); // The former code is back.
    expect(await tell()).toEqual({ state: 1_401, version: 1_401, folded: 1 });
  });

  it("[CMD-10] is not made of a state that JSON would change: then the handler has failed at once", async () => {
    await hub.json("PUT", "/v1/commands/dated", { topic: "dated", target: { kind: "listener", name: "dated" } });
    await fill("dated", 100);
    const refused = await hub.json("POST", "/v1/commands/dated", { payload: {}, key: "k" });
    expect(refused).toMatchObject({ status: 424, body: { code: "command_failed" } });
    expect(hub.logs).toContainEqual(
      expect.objectContaining({ stage: "command.handler_threw", error: expect.stringContaining("plain JSON") }),
    );
  });
});
