import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

interface Stats {
  readonly matched: number;
  readonly delivered: number;
  readonly dead: number;
  readonly owed: number;
  readonly expired: number;
  readonly skipped: number;
  readonly discarded: number;
  readonly lag: number;
}
interface Letter {
  readonly id: string;
  readonly reason: string;
  readonly attempts: readonly { readonly status: number; readonly excerpt: string }[];
  readonly event: { readonly data: { readonly n: number } };
}
interface Letters {
  readonly items: readonly Letter[];
  readonly cursor: string | null;
}

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  hub = await startHub();
  sink = await Sink.open();
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});
beforeEach(() => sink.respond(() => 204));

const webhook = (path: string) => ({ kind: "webhook", url: `${sink.url}/${path}` });
const reportOf = async (name: string) =>
  (await hub.json<{ state: string; stats: Stats }>("GET", `/v1/subscriptions/${name}`)).body;
const settled = (name: string, holds: (stats: Stats) => boolean) =>
  eventually(
    async () => (await reportOf(name)).stats,
    (stats) => stats.lag === 0 && holds(stats),
    name,
  );
const publishMany = (topic: string, count: number) =>
  hub.publish(
    topic,
    Array.from({ length: count }, (_, n) => ({ type: "counted", data: { n } })),
  );
const lettersOf = async (name: string, query = "") =>
  (await hub.json<Letters>("GET", `/v1/subscriptions/${name}/dead-letters${query}`)).body;

describe("dead letters over HTTP", () => {
  it("[DLV-3, DLV-12] are listed page by page, each once, with event, status, excerpt and attempts", async () => {
    sink.respond(() => ({ status: 422, body: "no such shelf" }));
    await hub.json("PUT", "/v1/subscriptions/shelf", { topics: ["shelf"], target: webhook("shelf") });
    await publishMany("shelf", 25);
    await settled("shelf", ({ dead }) => dead === 25);

    const seen: Letter[] = [];
    let cursor: string | null = null;
    do {
      const page: Letters = await lettersOf("shelf", `?limit=10${cursor === null ? "" : `&cursor=${cursor}`}`);
      expect(page.items.length).toBeLessThanOrEqual(10);
      seen.push(...page.items);
      cursor = page.cursor;
    } while (cursor !== null);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(25);
    expect(seen.map(({ event }) => event.data.n).toSorted((a, b) => a - b)).toEqual([...Array(25).keys()]);
    expect(seen[0]).toMatchObject({
      reason: "refused_permanently",
      attempts: [{ status: 422, excerpt: "no such shelf" }],
    });
    const forged = await hub.json<{ code: string }>("GET", "/v1/subscriptions/shelf/dead-letters?cursor=zebra");
    expect([forged.status, forged.body.code]).toEqual([400, "cursor_invalid"]);
  });

  it("[DLV-19] are redriven one and all, counted first by a dry run, discarded, and never doubled", async () => {
    const [first, second] = (await lettersOf("shelf")).items as [Letter, Letter];
    const post = (verb: string, body: object) =>
      hub.json<{ matched: number }>("POST", `/v1/subscriptions/shelf/dead-letters/${verb}`, body);
    sink.respond(() => 204);
    expect((await post("redrive", { all: true, dryRun: true })).body).toEqual({ matched: 25 });
    expect((await post("discard", { ids: [second.id] })).body).toEqual({ matched: 1 });
    expect((await post("redrive", { ids: [first.id] })).body).toEqual({ matched: 1 });
    await sink.until(() => sink.accepted.some(({ id }) => id === first.id));
    expect((await post("redrive", { ids: [first.id] })).body).toEqual({ matched: 0 });

    const [left, right] = await Promise.all([post("redrive", { all: true }), post("redrive", { all: true })]);
    expect(left.body.matched + right.body.matched).toBe(23);
    const stats = await settled("shelf", ({ delivered }) => delivered === 24);
    expect(stats).toMatchObject({ matched: 25, dead: 0, owed: 0, discarded: 1 });
    expect(new Set(sink.accepted.filter(({ path }) => path === "/shelf").map(({ id }) => id)).size).toBe(24);
  });

  it("[DLV-12] are narrowed by their reason", async () => {
    const path = "/v1/subscriptions/narrow";
    sink.respond(() => 422);
    await hub.json("PUT", path, { topics: ["narrow"], target: webhook("narrow") });
    await publishMany("narrow", 1);
    await settled("narrow", ({ dead }) => dead === 1);
    expect((await lettersOf("narrow", "?reason=refused_permanently")).items).toHaveLength(1);
    expect(await lettersOf("narrow", "?reason=attempts_exhausted")).toEqual({ items: [], cursor: null });
  });
});

describe("a subscription's life over HTTP", () => {
  it("[DLV-18] pauses without losing anything, and shows the lag meanwhile", async () => {
    await hub.json("PUT", "/v1/subscriptions/nap", { topics: ["nap"], target: webhook("nap") });
    await publishMany("nap", 3);
    await settled("nap", ({ delivered }) => delivered === 3);
    expect((await hub.json<{ state: string }>("POST", "/v1/subscriptions/nap/pause")).body.state).toBe("paused");
    for (let round = 0; round < 4; round += 1) await publishMany("nap", 250);
    const asleep = await reportOf("nap");
    expect([asleep.state, asleep.stats.lag, asleep.stats.delivered]).toEqual(["paused", 1_000, 3]);
    expect((await hub.json<{ state: string }>("POST", "/v1/subscriptions/nap/resume")).body.state).toBe("active");
    expect(await settled("nap", ({ delivered }) => delivered === 1_003)).toMatchObject({ matched: 1_003, owed: 0 });
    const offsets = new Set(sink.accepted.filter(({ path }) => path === "/nap").map(({ event }) => event.offset));
    expect(offsets.size).toBe(1_003);
  });

  it("[SUB-1] keeps its place when its definition changes, shows no secret again, and is listed and ended", async () => {
    const made = await hub.json<{ target: { secret?: string } }>("PUT", "/v1/subscriptions/moved", {
      topics: ["moved"],
      target: webhook("old"),
    });
    expect([made.status, made.body.target.secret?.startsWith("whsec_")]).toEqual([201, true]);
    await publishMany("moved", 2);
    await settled("moved", ({ delivered }) => delivered === 2);
    const changed = await hub.json("PUT", "/v1/subscriptions/moved", { topics: ["moved"], target: webhook("new") });
    expect([changed.status, JSON.stringify(changed.body).includes("whsec_")]).toEqual([200, false]);
    await publishMany("moved", 2);
    await settled("moved", ({ delivered }) => delivered === 4);
    expect(sink.accepted.filter(({ path }) => path === "/new")).toHaveLength(2);

    const { body } = await hub.json<{ items: { name: string }[] }>("GET", "/v1/subscriptions?limit=100");
    expect(body.items.map(({ name }) => name)).toContain("moved");
    expect((await hub.json("DELETE", "/v1/subscriptions/moved")).status).toBe(204);
    expect((await hub.json("GET", "/v1/subscriptions/moved")).status).toBe(404);
    await publishMany("moved", 1);
    await hub.json("PUT", "/v1/subscriptions/moved", { topics: ["moved"], target: webhook("newest") });
    expect((await reportOf("moved")).stats).toMatchObject({ matched: 0, lag: 0 });
  });
});

describe("what a crash left half done", () => {
  it("[SUB-1, DLV-20] begins anew where a DELETE ended the ledger and left the row", async () => {
    await hub.json("PUT", "/v1/subscriptions/half", { topics: ["half"], target: webhook("half") });
    await publishMany("half", 1);
    await settled("half", ({ delivered }) => delivered === 1);
    const database = await hub.database();
    const row = await database.prepare("SELECT * FROM subscriptions WHERE name = 'half'").first();
    expect((await hub.json("DELETE", "/v1/subscriptions/half")).status).toBe(204);
    const columns = Object.keys(row!);
    await database
      .prepare(`INSERT INTO subscriptions (${columns.join(", ")}) VALUES (${columns.map(() => "?").join(", ")})`)
      .bind(...Object.values(row!))
      .run();

    await hub.json("DELETE", "/v1/topics/half"); // Also where there is nothing to follow yet.
    const again = await hub.json("PUT", "/v1/subscriptions/half", { topics: ["half"], target: webhook("half-again") });
    expect(again.status).toBe(201);
    await publishMany("half", 1);
    expect(await settled("half", ({ delivered }) => delivered === 1)).toMatchObject({ matched: 1 });
  });
});
