import { createHmac } from "node:crypto";
import PusherServer from "pusher";
import { describe, expect, it } from "vitest";
import { formatWebhook, WEBHOOK_TYPE } from "../../../src/wire/pusher/webhook.ts";

const KEY = { key: "key", secret: "secret" };
const library = new PusherServer({ appId: "3", ...KEY, host: "localhost" });

const told = (type: string, data: object): unknown => {
  const body = formatWebhook(JSON.stringify({ type, data: { channel: "presence-a", ...data } }), 1_327_078_148_132);
  const signature = createHmac("sha256", KEY.secret).update(body!).digest("hex");
  const headers = { "x-pusher-key": KEY.key, "x-pusher-signature": signature, "content-type": WEBHOOK_TYPE };
  const webhook = library.webhook({ headers, rawBody: body! });
  expect(webhook.isValid()).toBe(true);
  expect(webhook.getTime().getTime()).toBe(1_327_078_148_132);
  return webhook.getEvents()[0];
};

describe("[PUS-16] what becomes of channels and members", () => {
  it.each([
    ["channel.occupied", {}, { name: "channel_occupied" }],
    ["channel.vacated", {}, { name: "channel_vacated" }],
    ["channel.cache_miss", {}, { name: "cache_miss" }],
    ["channel.subscription_count", { subscriptions: 3 }, { name: "subscription_count", subscription_count: 3 }],
    ["member.added", { user: "u1", version: 1 }, { name: "member_added", user_id: "u1" }],
    ["member.removed", { user: "u1", version: 2 }, { name: "member_removed", user_id: "u1" }],
  ])("%s is a webhook that the library takes", (type, data, expected) => {
    expect(told(type, data)).toEqual({ channel: "presence-a", ...expected });
  });

  const sent = (data: string): string =>
    `{"type":"channel.client_event","data":{"channel":"presence-a","connection":"1.2","user":"u1",` +
    `"event":{"type":"client-a"${data}}}}`;
  const hook = { name: "client_event", channel: "presence-a", event: "client-a", socket_id: "1.2", user_id: "u1" };

  it.each([
    [`,"data":{"n":1.0,"large":12345678901234567890}`, '{"n":1.0,"large":12345678901234567890}'],
    [`,"datacontenttype":"text/plain","data":"{not JSON"`, "{not JSON"],
    [``, undefined],
  ])("[PUS-22] a client event with %s says what its readers had", (data, expected) => {
    expect(JSON.parse(formatWebhook(sent(data), 7)!)).toEqual({ time_ms: 7, events: [{ ...hook, data: expected }] });
  });

  it("is not told where Pusher has no word for it", () => {
    expect(formatWebhook('{"type":"member.updated","data":{"channel":"presence-a"}}', 0)).toBeNull();
  });
});
