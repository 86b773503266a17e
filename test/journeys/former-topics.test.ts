import { afterAll, beforeAll, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { Sink } from "../harness/sink.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;
let sink: Sink;

beforeAll(async () => {
  [hub, sink] = [await startHub(), await Sink.open(() => 400)];
});
afterAll(() => Promise.all([hub.close(), sink.close()]));

it("[ACC-28] what a subscription holds of its former topics stays with those who may see these", async () => {
  const path = "/v1/subscriptions/moved";
  const target = { kind: "webhook", url: sink.url };
  const define = (topics: readonly string[], headers = {}) => hub.json("PUT", path, { topics, target }, headers);
  await define(["payroll"]);
  await hub.publish("payroll", { type: "paid", data: { salary: 1 } });
  await eventually(
    () => hub.json<{ items: unknown[] }>("GET", `${path}/dead-letters`),
    ({ body }) => body.items.length === 1,
    "a dead letter of payroll",
  );
  await define(["news"]);

  const { body } = await hub.json<{ key: string }>("POST", "/v1/keys", {
    name: "editor",
    scopes: ["manage:news", "redrive:news", "subscribe:news"],
  });
  const editor = { authorization: `Bearer ${body.key}` };
  const looks = [path, `${path}/dead-letters`, `${path}/deliveries`, `${path}/dead-letters/groups`];
  for (const look of looks)
    expect([look, (await hub.json("GET", look, undefined, editor)).status]).toEqual([look, 404]);
  const redriven = await hub.json("POST", `${path}/dead-letters/redrive`, { all: true }, editor);
  expect([redriven.status, (await define(["news"], editor)).status]).toEqual([404, 403]);
  const { body: list } = await hub.json<{ items: unknown[] }>("GET", "/v1/subscriptions", undefined, editor);
  expect(list.items).toEqual([]);

  // Of what it never followed there is nothing to hide.
  await hub.json("PUT", "/v1/subscriptions/fresh", { topics: ["news"], target }, editor);
  expect((await hub.json("GET", "/v1/subscriptions/fresh", undefined, editor)).status).toBe(200);
});
