import { get, type ClientRequest } from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { objectName } from "../../src/core/keys.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

/** Far less than the time between two heartbeats. */
const AT_ONCE_MS = 2_000;
/** As the hub sends them to a stream, and some time for the answer to the first. */
const HEARTBEAT_MS = 15_000 + AT_ONCE_MS;

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const followers = async (topic: string): Promise<number> => {
  const name = objectName("hub", "app_default", "native", "any", 0);
  return (await hub.rows("ChannelHub", name, `SELECT topic FROM follows WHERE topic = '${topic}'`)).length;
};

const forgotten = (topic: string, withinMs: number): Promise<number> =>
  eventually(
    () => followers(topic),
    (count) => count === 0,
    "it is a follower no more",
    withinMs,
  );

/** A client on a connection of its own, which the hub counts as a follower. */
async function follow(topic: string, query: string, headers: Record<string, string>): Promise<ClientRequest> {
  await hub.publish(topic, { type: "t" });
  const client = get(`${hub.url}/v1/topics/${topic}/events?from=latest&${query}`, {
    headers: { authorization: `Bearer ${ROOT_KEY}`, ...headers },
    agent: false,
  });
  client.on("error", () => undefined); // The end of the connection is what the test brings about.
  const openings = new Promise<void>((resolve) => {
    client.on("response", (response) => response.on("error", () => undefined).on("data", () => resolve()));
  });
  await eventually(
    () => followers(topic),
    (count) => count === 1,
    "it is a follower",
  );
  if (headers["accept"] !== undefined) await openings; // With nothing unread, closing it does not reset it.
  return client;
}

describe("a client that hangs up", () => {
  it("[RD-10] on a stream is forgotten by the hub at once", async () => {
    const client = await follow("stream", "", { accept: "text/event-stream" });
    client.socket!.resetAndDestroy();
    await forgotten("stream", AT_ONCE_MS);
  });

  it("[RD-10] on a long poll is forgotten by the hub at once", async () => {
    const client = await follow("poll", "wait=30s", {});
    client.socket!.resetAndDestroy();
    await forgotten("poll", AT_ONCE_MS);
  });

  // A connection that was closed with nothing unread looks like one whose client still listens, until it is written to.
  it("[RD-10] in good order is forgotten at the first heartbeat", async () => {
    const client = await follow("quiet", "", { accept: "text/event-stream" });
    client.destroy();
    await forgotten("quiet", HEARTBEAT_MS);
  }, 30_000);
});

describe("a HEAD", () => {
  it.each([
    ["of a stream", "from=latest", { accept: "text/event-stream" }],
    ["of a long poll", "from=latest&wait=30s", {}],
  ])("[RD-10] %s answers at once and follows nothing", async (_what, query, headers) => {
    const topic = `head-${query.length}`;
    await hub.publish(topic, { type: "t" });
    const path = `/v1/topics/${topic}/events?${query}`;
    const answer = await hub.request(path, { method: "HEAD", headers, signal: AbortSignal.timeout(AT_ONCE_MS) });
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    const client = await follow(topic, "", { accept: "text/event-stream" }); // Waits until it is one, and the only one.
    client.socket!.resetAndDestroy();
    await forgotten(topic, AT_ONCE_MS);
  });
});
