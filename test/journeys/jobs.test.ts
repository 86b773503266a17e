/** Dead letters over HTTP: grouped, chosen, repaired by jobs that outlive the runtime, and nobody else's to see. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startHub, type Answer, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

interface Job {
  readonly id: string;
  readonly state: string;
  readonly matched: number;
  readonly done: number;
}
interface Repaired {
  readonly matched: number;
  readonly job?: string;
}
interface Page<Item> {
  readonly items: readonly Item[];
  readonly cursor: string | null;
}
interface Group {
  readonly fingerprint: string;
  readonly excerpt: string;
  readonly count: number;
}

const LETTERS = 1_200;
let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  hub = await startHub();
  sink = await Sink.open(({ event }) => {
    const { n } = event.data as { n: number };
    return { status: 422, body: n % 4 === 0 ? `shelf ${n} is full` : `no shelf ${n}` };
  });
  const target = { kind: "webhook", url: sink.url };
  await hub.json("PUT", "/v1/subscriptions/shelf", { topics: ["shelf"], target, maxInFlight: 1_000 });
  for (let from = 0; from < LETTERS; from += 400) {
    const events = Array.from({ length: 400 }, (_, at) => ({ type: "shelved", data: { n: from + at } }));
    await hub.publish("shelf", events);
  }
  await eventually(dead, (count) => count === LETTERS, "all are dead", 30_000);
}, 60_000);
afterAll(async () => {
  await hub.close();
  await sink.close();
});

const at = (rest: string): string => `/v1/subscriptions/shelf/dead-letters${rest}`;
const dead = async (): Promise<number> => {
  const { body } = await hub.json<{ stats: { dead: number } }>("GET", "/v1/subscriptions/shelf");
  return body.stats.dead;
};
const repair = (verb: string, body: object): Promise<Answer<Repaired>> => hub.json("POST", at(`/${verb}`), body);
const jobOf = async (id: string): Promise<Job> => (await hub.json<Job>("GET", `/v1/jobs/${id}`)).body;

describe("dead letters over HTTP", () => {
  it("[DLQ-1, DLQ-2, DLQ-3] are grouped by error, and narrowed alike for lists and repairs", async () => {
    const { body } = await hub.json<Page<Group>>("GET", at("/groups"));
    const groups = body.items.map(({ excerpt, count }) => [excerpt, count]).toSorted();
    expect(groups).toEqual([
      ["no shelf <n>", 900],
      ["shelf <n> is full", 300],
    ]);
    const filter = { data: { n: [{ numeric: ["<", 8] }] } };
    const full = body.items.find(({ count }) => count === 300)!.fingerprint;
    const query = `?filter=${encodeURIComponent(JSON.stringify(filter))}`;
    const few = await hub.json<Page<{ id: string }>>("GET", at(`${query}&fingerprint=${full}`));
    expect(few.body.items).toHaveLength(2);
    expect(few.body.cursor).toBeNull();
    expect((await repair("redrive", { filter, dryRun: true })).body).toEqual({ matched: 8 });
    expect((await repair("redrive", { fingerprint: full, dryRun: true })).body).toEqual({ matched: 300 });
    expect((await repair("discard", { filter })).body).toEqual({ matched: 8 });
    expect(await dead()).toBe(LETTERS - 8);
  });

  it("[DLQ-4, DLQ-5, DLQ-7] many are moved by a job, slowly if asked, across a crash, until it is cancelled", async () => {
    const begun = await repair("discard", { all: true, ratePerSecond: 50 });
    expect(begun.status).toBe(202);
    const { matched, job } = begun.body;
    expect(matched).toBe(LETTERS - 8);
    expect(await jobOf(job!)).toMatchObject({ id: job, kind: "discard", subscription: "shelf", state: "running" });
    await eventually(
      () => jobOf(job!),
      ({ done }) => done >= 100,
      "two slices are done",
    );
    const startedAt = Date.now();
    const before = (await jobOf(job!)).done;
    await hub.killRuntime();
    const after = await eventually(
      () => jobOf(job!),
      ({ done }) => done >= before + 100,
      "it goes on",
    );
    expect(after.done - before).toBeLessThanOrEqual(50 * (2 + (Date.now() - startedAt) / 1_000));
    const cancelled = await hub.json<Job>("POST", `/v1/jobs/${job}/cancel`, {});
    expect([cancelled.status, cancelled.body.state]).toEqual([200, "cancelled"]);
    expect(await dead()).toBe(LETTERS - 8 - cancelled.body.done);
    expect((await hub.json<Job>("POST", `/v1/jobs/${job}/cancel`, {})).body).toEqual(cancelled.body);
    const { body } = await hub.json<Page<{ action: string }>>("GET", "/v1/audit?order=desc&limit=3");
    expect(body.items.map(({ action }) => action)).toEqual([
      "job.cancelled",
      "job.cancelled",
      "dead_letters.discarded",
    ]);
  });

  it("[DLQ-9] a job of another app is like one that never was, and scopes hold", async () => {
    const { job } = (await repair("redrive", { all: true, ratePerSecond: 1 })).body;
    await hub.json("POST", "/v1/apps", { name: "prying" });
    const keyFor = async (app: string, scopes: string[]): Promise<Record<string, string>> => {
      const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", app, scopes });
      return { authorization: `Bearer ${body.key}` };
    };
    const prying = await keyFor("prying", ["admin"]);
    const elsewhere = await keyFor("default", ["manage:other", "redrive:other"]);
    const seen = async (id: string, headers: Record<string, string>, cancel: boolean): Promise<unknown[]> => {
      const init = { method: "POST", body: "{}", headers: { ...headers, "content-type": "application/json" } };
      const answer = await hub.request(`/v1/jobs/${id}${cancel ? "/cancel" : ""}`, cancel ? init : { headers });
      return [answer.status, await answer.text()];
    };
    const number = Number(job!.split("_").at(-1));
    const others = [job!.replace(/_\d+$/, `_${number + 50}`), job!.replaceAll(/[0-8](?=[^_]*_)/g, "9"), "nonsense"];
    for (const cancel of [false, true]) {
      const [status, text] = await seen(others[2]!, prying, cancel);
      expect([status, JSON.parse(text as string)]).toMatchObject([404, { code: "job_not_found" }]);
      for (const id of [job!, ...others]) expect(await seen(id, prying, cancel)).toEqual([status, text]);
      expect(await seen(job!, elsewhere, cancel)).toEqual([status, text]);
      for (const id of others) expect((await hub.json("GET", `/v1/jobs/${id}`)).status).toBe(404);
      const publisher = await keyFor("default", ["publish:shelf"]);
      expect((await seen(job!, publisher, cancel))[0]).toBe(403);
    }
    const onlooker = await keyFor("default", ["manage:shelf"]);
    expect((await seen(job!, onlooker, false))[0]).toBe(200);
    expect((await seen(job!, onlooker, true))[0]).toBe(403);
  });
});
