import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ErrorCode } from "../../src/core/errors.ts";
import { objectName } from "../../src/core/keys.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const followers = async (): Promise<number> => {
  const name = objectName("hub", "app_default", "native", "any", 0);
  return (await hub.rows("ChannelHub", name, "SELECT topic FROM follows WHERE topic = 'mortal'")).length;
};

const JSON_TYPE = { "content-type": "application/json" };
const STREAM = { accept: "text/event-stream" };
const VERSION_9 = JSON.stringify({ type: "t", key: "k", expectedKeyVersion: 9 });
const TWO_OF_ONE_ID = JSON.stringify([
  { type: "t", id: "a", data: 1 },
  { type: "t", id: "a", data: 2 },
]);

interface Ask {
  readonly query?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly code: ErrorCode;
}

const ASKS: Record<string, Ask> = {
  "a publish to a partition that it would not have": { query: "?partition=5", body: "{}", code: "event_invalid" },
  "a good event for such a partition": { query: "?partition=5", body: '{"type":"t"}', code: "parameter_invalid" },
  "a publish behind an offset": { headers: { "if-match": '"9"' }, body: '{"type":"t"}', code: "version_conflict" },
  "a publish behind a key's version": { body: VERSION_9, code: "version_conflict" },
  "a publish of two events with one id": { body: TWO_OF_ONE_ID, code: "event_id_conflict" },
  "a long poll for a key": { query: "?wait=1s&key=a", code: "index_required" },
  "a long poll of a partition": { query: "?wait=1s&partition=3", code: "parameter_invalid" },
  "a stream of a partition": { query: "?partition=0", headers: STREAM, code: "parameter_invalid" },
  "a stream of a key": { query: "?key=a", headers: STREAM, code: "index_required" },
};

describe("a topic that is not there", () => {
  it.each(Object.entries(ASKS))("[TOP-4] is not made by %s", async (_what, { query = "", headers, body, code }) => {
    const init =
      body === undefined ? { headers: headers ?? {} } : { method: "POST", body, headers: { ...JSON_TYPE, ...headers } };
    const response = await hub.request(`/v1/topics/unborn/events${query}`, init);
    expect(await response.json()).toMatchObject({ code });
    expect((await hub.json("GET", "/v1/topics/unborn")).status).toBe(404);
  });

  it("[TOP-4] is not made again by a long poll that it was deleted under", async () => {
    await hub.json("PUT", "/v1/topics/mortal", {});
    const poll = hub.json("GET", "/v1/topics/mortal/events?wait=10s");
    await eventually(followers, (count) => count === 1, "the hub knows that it waits");
    await hub.json("DELETE", "/v1/topics/mortal");
    expect((await poll).body).toMatchObject({ code: "topic_not_found" });
    expect((await hub.json("GET", "/v1/topics/mortal")).status).toBe(404);
  });

  it("[PUB-7] gets versions from one line of a stream that asks for them, though the lines go one by one", async () => {
    const lines = [
      { type: "t" },
      { type: "t", key: "k", expectedKeyVersion: 5 },
      { type: "t", key: "k", expectedKeyVersion: 0 },
    ];
    const response = await hub.request("/v1/topics/versioned/events", {
      method: "POST",
      headers: { "content-type": "application/x-ndjson" },
      body: lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
    });
    const answers = (await response.text()).trim().split("\n");
    const told = answers.map((line) => JSON.parse(line) as { offset?: number; problem?: { code: string } });
    expect(told.map(({ offset, problem }) => offset ?? problem!.code)).toEqual([1, "version_conflict", 2]);
  });
});
