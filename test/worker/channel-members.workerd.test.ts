import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { beforeAll, expect, it } from "vitest";
import { presenceRoom } from "../../src/stubs.ts";
import { app } from "../../src/worker/app.ts";
import { findTopic, remember } from "../../src/worker/topic-directory.ts";
import { valueOf } from "../builders/log.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

const APP = "app_default";

beforeAll(migrateDatabase);

async function ask(method: string, path: string, body?: string): Promise<[number, unknown]> {
  const context = createExecutionContext();
  const headers = { authorization: "Bearer test-root-key", "content-type": "application/json" };
  const request = new Request(`https://hub.test${path}`, { method, headers, ...(body !== undefined && { body }) });
  const response = await app.fetch(request, env, context);
  await waitOnExecutionContext(context);
  const text = await response.text();
  return [response.status, text === "" ? null : JSON.parse(text)];
}

/** A channel that was deleted and, `again`, made anew, where the isolate still knows the one before. */
async function makeFormer(channel: string, again: boolean): Promise<void> {
  await ask("PUT", `/v1/topics/${channel}`, "{}");
  const former = valueOf(await findTopic(env, APP, channel));
  await ask("DELETE", `/v1/topics/${channel}`);
  if (again) {
    await ask("PUT", `/v1/topics/${channel}`, "{}");
    const { epoch } = valueOf(await findTopic(env, APP, channel));
    const entered = [{ connection: "c", member: { id: "ana", data: null } }];
    const report = { hub: "elsewhere", epoch, seq: 1, known: null, entered, left: [], all: null };
    expect(await presenceRoom(env, APP, channel).report(report)).toMatchObject({ kind: "accepted" });
  }
  remember(former);
}

it("[PRE-9] members are those of the channel as it is, though the isolate knows the one before it", async () => {
  await makeFormer("presence-pages", true);
  expect(await ask("GET", "/v1/channels/presence-pages/members")).toMatchObject([
    200,
    { count: 1, items: [{ id: "ana" }] },
  ]);
  await makeFormer("presence-one", true);
  expect(await ask("GET", "/v1/channels/presence-one/members/ana")).toMatchObject([200, { id: "ana" }]);
});

it("[PRE-9] of a channel that was deleted elsewhere nothing is told", async () => {
  await makeFormer("presence-gone", false);
  for (const path of ["members", "members/ana"])
    expect(await ask("GET", `/v1/channels/presence-gone/${path}`)).toMatchObject([404, { code: "topic_not_found" }]);
});
