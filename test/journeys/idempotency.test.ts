import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { idempotencyScope } from "../../src/core/keys.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { startHub, type Hub, type Receipt } from "../harness/hub.ts";

let hub: Hub;
let database: D1Database;

beforeAll(async () => {
  hub = await startHub();
  database = await hub.database();
});
afterAll(() => hub.close());

const HOUR = 3_600_000;
const key = (value: string): Record<string, string> => ({ "idempotency-key": value });

/** A row as a request leaves it that died between its claim and its end. */
async function leaveClaim(method: string, path: string, name: string, body: string, leaseUntil: number): Promise<void> {
  const fingerprint = createHash("sha256").update(body).digest("base64url");
  await database
    .prepare(
      `INSERT INTO idempotency_keys (scope, key, fingerprint, state, token, lease_until, status, response, expires_at)
     VALUES (?, ?, ?, 'claimed', 'of-the-dead', ?, NULL, NULL, ?)`,
    )
    .bind(idempotencyScope("app_default", "root", method, path), name, fingerprint, leaseUntil, Date.now() + HOUR)
    .run();
}

describe("a publish with an Idempotency-Key", () => {
  const body = JSON.stringify([
    { type: "t", data: 1 },
    { type: "t", data: 2 },
  ]);

  it("[IDM-1] sent twenty times at once appends once, and every answer names the same offsets", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => hub.publish("twenty", body, key("once"))));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array.from({ length: 19 }, () => 200), 201]);
    expect(new Set(answers.map((answer) => answer.body.events.map(({ offset }) => offset).join()))).toEqual(
      new Set(["1,2"]),
    );
    expect(new Set(answers.map((answer) => answer.body.events.map(({ id }) => id).join())).size).toBe(1);
    expect((await hub.read("twenty")).events).toHaveLength(2);
  });

  it("[IDM-1] over several partitions too", async () => {
    await hub.json("PUT", "/v1/topics/twenty-wide", { partitions: 5 });
    const many = JSON.stringify(Array.from({ length: 30 }, (_, index) => ({ type: "t", data: index })));
    const answers = await Promise.all(Array.from({ length: 8 }, () => hub.publish("twenty-wide", many, key("once"))));
    const placeOf = ({ partition, offset }: Receipt) => `${partition}/${offset}`;
    const places = answers.map((answer) => answer.body.events.map(placeOf).join());
    expect(new Set(places).size).toBe(1);
    expect(await hub.readAll("twenty-wide")).toHaveLength(30);
  });

  it("[IDM-2] sent again later answers 200, the first receipts as duplicates, and that it is a replay", async () => {
    const first = await hub.publish("later", body, key("k"));
    expect([first.status, first.headers.get("idempotent-replayed")]).toEqual([201, null]);
    await hub.publish("later", { type: "between" });
    const again = await hub.publish("later", body, key('"k"'));
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([200, "true"]);
    expect(again.body.events).toEqual(first.body.events.map((event) => ({ ...event, duplicate: true })));
  });

  it("[IDM-3] sent with another body is refused, and nothing is appended", async () => {
    await hub.publish("other-body", body, key("k"));
    const other = await hub.publish("other-body", `${body} `, key("k"));
    expect(other.status).toBe(422);
    expect(other.body).toMatchObject({ code: "idempotency_key_reused", retryable: false });
    expect((await hub.read("other-body")).events).toHaveLength(2);
  });

  it("[IDM-3] to another partition by hand is another request, and refused like one", async () => {
    await hub.json("PUT", "/v1/topics/by-hand", { partitions: 2 });
    const publish = (partition: number) =>
      hub.json("POST", `/v1/topics/by-hand/events?partition=${partition}`, [{ type: "t" }], key("k"));
    expect((await publish(0)).status).toBe(201);
    expect((await publish(1)).status).toBe(422);
    expect((await publish(0)).status).toBe(200);
    expect(await hub.readAll("by-hand")).toHaveLength(1);
  });

  it("[IDM-3] with other attributes of a binary CloudEvent is another request, and refused like one", async () => {
    const publish = (more: Record<string, string>) => {
      const attributes = { "ce-specversion": "1.0", "ce-id": "1", "ce-source": "/tests", "ce-type": "t" };
      const headers = { "content-type": "application/json", ...attributes, ...key("k"), ...more };
      return hub.request("/v1/topics/binary/events", { method: "POST", headers, body: "{}" });
    };
    expect((await publish({})).status).toBe(201);
    expect((await publish({ "ce-type": "other" })).status).toBe(422);
    expect((await publish({ "ce-id": "2" })).status).toBe(422);
    expect((await publish({ "ce-more": "1" })).status).toBe(422);
    expect((await publish({ "content-type": "text/plain" })).status).toBe(422);
    expect((await publish({ "user-agent": "other" })).status).toBe(200);
    expect((await hub.read("binary")).events).toHaveLength(1);
  });

  it("[IDM-4] belongs to one topic: the same key on another is another request", async () => {
    await hub.publish("topic-a", body, key("k"));
    expect((await hub.publish("topic-b", body, key("k"))).status).toBe(201);
  });

  it.each([
    ["running", () => Date.now() + 60_000],
    ["lapsed", () => Date.now() - 60_000],
  ])("[IDM-5] that meets a claim with a %s lease, of a request that died, converges", async (name, lease) => {
    const topic = `crashed-${name}`;
    await leaveClaim("POST", `/v1/topics/${topic}/events`, "k", body, lease());
    const answers = await Promise.all(Array.from({ length: 5 }, () => hub.publish(topic, body, key("k"))));
    expect(new Set(answers.map((answer) => answer.body.events.map(({ offset }) => offset).join()))).toEqual(
      new Set(["1,2"]),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect((await hub.read(topic)).events).toHaveLength(2);
  });

  it("[IDM-5] that meets a claim left by a crash after the append finds its events and adds none", async () => {
    await hub.publish("crashed-late", body, key("k"));
    await database
      .prepare(
        `UPDATE idempotency_keys SET state = 'claimed', status = NULL, lease_until = 0 WHERE scope LIKE '%crashed-late%'`,
      )
      .run();
    const again = await hub.publish("crashed-late", body, key("k"));
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([200, "true"]);
    expect((await hub.read("crashed-late")).events).toHaveLength(2);
  });

  it("[IDM-5] whose row is lost is still known to the log", async () => {
    await hub.publish("rowless", body, key("k"));
    await database.prepare(`DELETE FROM idempotency_keys WHERE scope LIKE '%rowless%'`).run();
    expect((await hub.publish("rowless", body, key("k"))).status).toBe(200);
    const other = await hub.publish("rowless", '{"type":"other"}', key("k"));
    expect(other.status).toBe(422);
    expect((await hub.read("rowless")).events).toHaveLength(2);
  });

  it("[IDM-6] that was refused keeps nothing: the mended request may come under the same key", async () => {
    await hub.publish("mended", { type: "first" });
    const refused = await hub.publish("mended", body, { ...key("k"), "if-match": '"7"' });
    expect(refused.status).toBe(412);
    const mended = await hub.publish("mended", '{"type":"mended"}', key("k"));
    expect(mended.status).toBe(201);
  });
});

describe("other requests with an Idempotency-Key", () => {
  it("[IDM-7] answer a repeat with the first answer, word for word", async () => {
    const put = () => hub.json("PUT", "/v1/topics/put-once", { partitions: 3 }, key("k"));
    const first = await put();
    expect(first.status).toBe(201);
    const again = await put();
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([201, "true"]);
    expect(again.body).toEqual(first.body);
    const other = await hub.json("PUT", "/v1/topics/put-once", { partitions: 4 }, key("k"));
    expect([other.status, other.body["code"]]).toEqual([422, "idempotency_key_reused"]);
  });

  it("[IDM-7] answer a repeated DELETE with 204 again", async () => {
    await hub.json("PUT", "/v1/topics/gone-once", {});
    const remove = () => hub.json("DELETE", "/v1/topics/gone-once", undefined, key("k"));
    expect((await remove()).status).toBe(204);
    const again = await remove();
    expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([204, "true"]);
  });

  it("[IDM-7] keep no refusal", async () => {
    await hub.json("PUT", "/v1/topics/refused-once", { partitions: 2 });
    const put = (partitions: number, name: string) =>
      hub.json("PUT", "/v1/topics/refused-once", { partitions }, key(name));
    expect((await put(3, "k")).status).toBe(409);
    expect((await put(2, "k")).status).toBe(200);
  });

  it("[IDM-8] are told to wait while the first is under way, and take over when its lease has lapsed", async () => {
    const body = JSON.stringify({ partitions: 2 });
    await leaveClaim("PUT", "/v1/topics/under-way", "k", body, Date.now() + 60_000);
    const put = () => hub.json("PUT", "/v1/topics/under-way", { partitions: 2 }, key("k"));
    const waiting = await put();
    expect([waiting.status, waiting.body["code"], waiting.body["retryable"]]).toEqual([
      409,
      "idempotency_in_progress",
      true,
    ]);
    expect(waiting.headers.get("retry-after")).toBe("1");
    await database.prepare(`UPDATE idempotency_keys SET lease_until = 1 WHERE scope LIKE '%under-way%'`).run();
    const answers = await Promise.all([put(), put(), put()]);
    expect(answers.filter(({ status }) => status === 201).length).toBeGreaterThan(0);
    expect((await put()).headers.get("idempotent-replayed")).toBe("true");
  });

  it("[IDM-9] that answered with a secret are not replayed", async () => {
    const definition = { topics: ["secret.*"], target: { kind: "webhook", url: "http://127.0.0.1:9/hook" } };
    const put = () => hub.json("PUT", "/v1/subscriptions/secretive", definition, key("k"));
    const first = await put();
    expect(first.status).toBe(201);
    expect(JSON.stringify(first.body)).toContain("whsec_");
    const again = await put();
    expect([again.status, again.body["code"]]).toEqual([409, "idempotency_not_replayable"]);
    const { results } = await database
      .prepare("SELECT response FROM idempotency_keys WHERE scope LIKE '%secretive%'")
      .all();
    expect(results).toEqual([{ response: null }]);
    await hub.json("DELETE", "/v1/subscriptions/secretive");
  });

  it("[IDM-10] forget their keys when their time is over, by the cron", async () => {
    await hub.json("PUT", "/v1/topics/expiring", {}, key("old"));
    await hub.json("PUT", "/v1/topics/expiring", {}, key("young"));
    const rows = async () => {
      const { results } = await database
        .prepare("SELECT key FROM idempotency_keys WHERE scope LIKE '%expiring%'")
        .all();
      return results.map((row) => row["key"]);
    };
    const { expires } = (await database
      .prepare("SELECT max(expires_at) AS expires FROM idempotency_keys")
      .first<{ expires: number }>())!;
    expect(expires - Date.now()).toBeGreaterThan(LIMITS.IDEMPOTENCY_KEEP_MS - HOUR);
    await database
      .prepare("UPDATE idempotency_keys SET expires_at = 1 WHERE key = 'old' AND scope LIKE '%expiring%'")
      .run();
    await hub.runCron();
    expect(await rows()).toEqual(["young"]);
    const anew = await hub.json("PUT", "/v1/topics/expiring", {}, key("old"));
    expect(anew.headers.get("idempotent-replayed")).toBeNull();
  });
});
