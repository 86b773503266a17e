import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

interface Shown {
  readonly name: string;
  readonly event?: unknown;
  readonly next: readonly string[];
  readonly last: { readonly at: string; readonly code?: string } | null;
}
type Headers = Record<string, string>;

const HOURLY = { cron: "0 * * * *", topic: "ticks", event: { type: "tick", data: { exact: 1 } } };
const put = (name: string, definition: object, headers: Headers = {}) =>
  hub.json<Shown>("PUT", `/v1/schedules/${name}`, definition, headers);
const get = (name: string, headers: Headers = {}) =>
  hub.json<Shown>("GET", `/v1/schedules/${name}`, undefined, headers);

async function keyWith(...scopes: readonly string[]): Promise<Headers> {
  const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", scopes });
  return { authorization: `Bearer ${body.key}` };
}

describe("schedules", () => {
  it("[TIME-12] cost nothing until there is one: no object is made", async () => {
    await hub.publish("plain", { type: "t" });
    await hub.runCron();
    expect(await hub.objectIds("Schedules")).toEqual([]);
  });

  it("[TIME-10] are made, shown with what comes next, changed and deleted, each written down", async () => {
    const made = await put("hourly", HOURLY);
    expect([made.status, made.body]).toEqual([201, (await get("hourly")).body]);
    const defaults = { timeZone: "UTC", startAt: null, endAt: null, paused: false, catchUp: "last", last: null };
    expect(made.body).toMatchObject({ name: "hourly", ...HOURLY, ...defaults });
    expect(made.body.next).toHaveLength(5);
    for (const at of made.body.next) expect(at).toMatch(/:00:00\.000Z$/);
    expect((await put("hourly", HOURLY)).status).toBe(200);
    expect((await put("hourly", { ...HOURLY, paused: true })).body).toMatchObject({ next: [] });
    const listed = await hub.json<{ items: Shown[] }>("GET", "/v1/schedules");
    expect(listed.body.items.map(({ name, event }) => [name, event])).toEqual([["hourly", undefined]]);
    expect((await hub.json("DELETE", "/v1/schedules/hourly")).status).toBe(204);
    expect([(await get("hourly")).status, (await hub.json("DELETE", "/v1/schedules/hourly")).status]).toEqual([
      404, 404,
    ]);
    const audit = await hub.json<{ items: { action: string }[] }>("GET", "/v1/audit?subject=hourly");
    expect(audit.body.items.map(({ action }) => action).toSorted()).toEqual([
      "schedule.changed",
      "schedule.created",
      "schedule.deleted",
    ]);
  });

  it("[TIME-10] publish events that are like any other, with the occurrence's time and an id of its own", async () => {
    const event = '{"type":"tick","key":"k","ttl":"1h","data":{"n":12345678901234567890.10}}';
    const definition = `{"cron":"* * * * * *","topic":"seconds","event":${event}}`;
    const answer = await hub.request("/v1/schedules/seconds", {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: definition,
    });
    expect([answer.status, await answer.text()]).toEqual([201, expect.stringContaining("12345678901234567890.10")]);
    const events = await eventually(
      () => hub.readAll("seconds").catch(() => []),
      (all) => all.length >= 3,
      "three occurrences",
    );
    for (const { id, time, source, partitionkey, appendedat } of events) {
      expect(id).toMatch(new RegExp(`^sch_[0-9a-f]{32}_${Date.parse(time)}$`));
      expect([source, partitionkey]).toEqual(["/apps/default", "k"]);
      expect(Date.parse(String(appendedat))).toBeGreaterThanOrEqual(Date.parse(time));
    }
    const times = events.map(({ time }) => Date.parse(time));
    expect(times).toEqual(times.map((_, index) => times[0]! + index * 1_000));
    const text = await (await hub.request("/v1/topics/seconds/events?limit=1")).text();
    expect(text).toContain("12345678901234567890.10");
    await eventually(
      () => get("seconds"),
      ({ body }) => body.last !== null,
      "what became of one",
    );
    await hub.json("DELETE", "/v1/schedules/seconds");
  });

  it("[TIME-10] are its manager's who may publish to the topic, and nobody else's", async () => {
    await put("guarded", HOURLY);
    const [manager, publisher] = [await keyWith("manage:ticks"), await keyWith("publish:ticks")];
    const both = await keyWith("manage:ticks", "publish:ticks");
    const other = await keyWith("manage:other", "publish:other");
    expect((await put("new", HOURLY, manager)).status).toBe(403);
    expect((await put("new", HOURLY, publisher)).status).toBe(403);
    expect((await put("new", HOURLY, both)).status).toBe(201);
    expect((await put("new", { ...HOURLY, topic: "other" }, other)).status).toBe(403);
    expect([(await get("new", publisher)).status, (await get("new", other)).status]).toEqual([403, 404]);
    const listed = await hub.json<{ items: Shown[] }>("GET", "/v1/schedules", undefined, other);
    expect(listed.body.items).toEqual([]);
    const path = "/v1/schedules/new";
    expect((await hub.json("DELETE", path, undefined, other)).status).toBe(404);
    expect((await hub.json("DELETE", path, undefined, manager)).status).toBe(204);
  });

  it("[TIME-14] say what keeps an occurrence from being published", async () => {
    const app = { "tidings-app": "spent" };
    await hub.json("POST", "/v1/apps", { name: "spent", quotas: { eventsPerDay: 1 } });
    await hub.publish("t", { type: "t" }, app);
    await put("blocked", { cron: "* * * * * *", topic: "t", event: { type: "t" } }, app);
    await eventually(
      () => hub.json<{ trying: { code: string } | null }>("GET", "/v1/schedules/blocked", undefined, app),
      ({ body }) => body.trying?.code === "quota_exceeded",
      "the reason",
    );
  });

  it("[TIME-16] end with their app", async () => {
    const app = { "tidings-app": "ending" };
    await hub.json("POST", "/v1/apps", { name: "ending" });
    const made = await put("last", { cron: "* * * * * *", topic: "t", event: { type: "t" } }, app);
    expect(made.status).toBe(201);
    expect((await hub.json("DELETE", "/v1/apps/ending")).status).toBe(204);
    await hub.json("POST", "/v1/apps", { name: "ending" });
    expect((await get("last", app)).status).toBe(404);
    expect((await hub.json("GET", "/v1/topics/t", undefined, app)).status).toBe(404);
  });
});
