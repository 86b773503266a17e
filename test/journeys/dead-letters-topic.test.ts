/** The topic `$dead-letters` over HTTP: each death once, in order, readable with its scope and written by the hub only. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Hub, type Page } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

interface News {
  readonly subscription: string;
  readonly delivery: string;
  readonly topic: string;
  readonly offset: number;
  readonly reason: string;
  readonly fingerprint: string;
  readonly redrives: number;
  readonly attempts: number;
  readonly event?: { readonly data: unknown };
}

const TOPIC = encodeURIComponent("$dead-letters");
let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  hub = await startHub();
  sink = await Sink.open(() => 422);
});
afterAll(async () => {
  await hub.close();
  await sink.close();
});

const follow = (name: string, topics: readonly string[]): Promise<unknown> =>
  hub.json("PUT", `/v1/subscriptions/${name}`, { topics, target: { kind: "webhook", url: `${sink.url}/${name}` } });
const told = async (): Promise<News[]> => {
  const { status, body } = await hub.json<Page>("GET", `/v1/topics/${TOPIC}/events?limit=1000`);
  return status === 404 ? [] : body.events.map(({ data }) => data as News);
};
const toldOf = (count: number): Promise<News[]> => eventually(told, (news) => news.length >= count, `${count} deaths`);
const deadOf = async (name: string): Promise<number> =>
  (await hub.json<{ stats: { dead: number } }>("GET", `/v1/subscriptions/${name}`)).body.stats.dead;

it("[DLQ-11] tells each death once, with its event, and each later death of it as another", async () => {
  await follow("shelf", ["shelf"]);
  await hub.publish(
    "shelf",
    Array.from({ length: 250 }, (_, n) => ({ type: "shelved", data: { n } })),
  );
  const news = await toldOf(250);
  expect(new Set(news.map(({ delivery }) => delivery)).size).toBe(250);
  expect(news[0]).toMatchObject({
    subscription: "shelf",
    topic: "shelf",
    reason: "refused_permanently",
    redrives: 0,
    attempts: 1,
  });
  for (const { offset, event } of news) expect(event!.data).toEqual({ n: offset - 1 });
  const letters = await hub.json<{ items: { id: string; fingerprint: string }[] }>(
    "GET",
    "/v1/subscriptions/shelf/dead-letters?limit=1000",
  );
  expect(news.map(({ delivery }) => delivery)).toEqual(letters.body.items.map(({ id }) => id));
  expect(news[0]!.fingerprint).toBe(letters.body.items[0]!.fingerprint);

  const { id } = letters.body.items[0]!;
  await hub.json("POST", "/v1/subscriptions/shelf/dead-letters/redrive", { ids: [id] });
  expect((await toldOf(251)).at(-1)).toMatchObject({ delivery: id, redrives: 1, attempts: 2 });
});

it("[DLQ-11] loses none to crashes, and leaves out an event too deep to stand inside another", async () => {
  await follow("deep", ["deep"]);
  const data: unknown = JSON.parse(`${'{"a":'.repeat(62)}1${"}".repeat(62)}`);
  await hub.publish("deep", { type: "deep", data });
  await eventually(
    () => deadOf("deep"),
    (dead) => dead === 1,
    "it is dead",
  );
  await hub.killRuntime();
  const ofDeep = async () => (await told()).filter(({ subscription }) => subscription === "deep");
  const [news] = await eventually(ofDeep, ({ length }) => length > 0, "its death is told");
  expect(news).toMatchObject({ topic: "deep", offset: 1 });
  expect(news!.event).toBeUndefined();
});

it("[DLQ-12] its own readers' deaths are not told of, and nobody else writes there", async () => {
  const before = (await told()).length;
  await follow("watch", ["$dead-letters"]);
  await follow("late", ["late"]);
  await hub.publish("late", { type: "late", data: {} });
  await eventually(
    () => deadOf("watch"),
    (dead) => dead === 1,
    "the news itself is dead",
  );
  expect(await told()).toHaveLength(before + 1);
  const refused = await hub.json<{ code: string }>("POST", `/v1/topics/${TOPIC}/events`, { type: "t", data: {} });
  expect([refused.status, refused.body.code]).toEqual([403, "topic_reserved"]);
  const keyFor = async (scope: string): Promise<Record<string, string>> => {
    const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", { name: "k", scopes: [scope] });
    return { authorization: `Bearer ${body.key}` };
  };
  const read = async (scope: string): Promise<number> =>
    (await hub.request(`/v1/topics/${TOPIC}/events`, { headers: await keyFor(scope) })).status;
  expect([await read("subscribe:$dead-letters"), await read("subscribe:**")]).toEqual([200, 403]);
});
