import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { beforeAll, expect, it } from "vitest";
import { HubsStore } from "../../src/store/hubs-store.ts";
import type { Env } from "../../src/env.ts";
import { app } from "../../src/worker/app.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

const ROOT = "test-root-key";

beforeAll(async () => {
  await migrateDatabase();
  await ask("PUT", "/v1/topics/presence-hall", { body: {} });
  await new HubsStore(env.DB).add({ app: "app_default", protocol: "native", region: "any", shard: 0 }, Date.now());
});

interface Asked {
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  readonly bindings?: Env;
}

async function ask(method: string, path: string, { body, headers = {}, bindings = env }: Asked): Promise<Response> {
  const context = createExecutionContext();
  const request = new Request(`https://hub.test${path}`, {
    method,
    headers: { authorization: `Bearer ${ROOT}`, "content-type": "application/json", ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const response = await app.fetch(request, bindings, context);
  await waitOnExecutionContext(context);
  return response;
}

/** Whose every call fails, as those of an object that cannot be started. */
const unreachable = {
  getByName: () => new Proxy({}, { get: () => () => Promise.reject(new Error("planned")) }),
};
const broken = { ...env, CHANNEL_HUB: unreachable, PRESENCE_ROOM: unreachable } as unknown as Env;

it.each<[string, string, unknown?, Record<string, string>?]>([
  ["GET", "/v1/channels"],
  ["GET", "/v1/channels/news"],
  ["GET", "/v1/channels/presence-hall/members"],
  ["GET", "/v1/channels/presence-hall/members/ana"],
  ["GET", "/v1/connections"],
  ["GET", "/v1/users/ana"],
  ["POST", "/v1/users/ana/events", { type: "t", data: 1 }],
  ["POST", "/v1/users/ana/disconnect", {}],
])("[ERR-7] %s %s without a hub or room is `hub_overloaded`", async (method, path, body, headers) => {
  const answer = await ask(method, path, { body, headers: headers ?? {}, bindings: broken });
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: "hub_overloaded", retryable: true }]);
  expect(answer.headers.get("retry-after")).toBe("1");
});
