import { createHmac } from "node:crypto";
import PusherServer from "pusher";
import { describe, expect, it } from "vitest";
import { channelContent, parseAuth, requestContent, userContent } from "../../../src/wire/pusher/signatures.ts";

const KEY = "278d425bdf160c739803";
const SECRET = "7ad3773142a6692b25b8";
const SOCKET = "1234.1234";

const sign = (content: string | null): string =>
  createHmac("sha256", SECRET)
    .update(content ?? "")
    .digest("hex");
const library = new PusherServer({ appId: "3", key: KEY, secret: SECRET, host: "localhost" });

describe("[PUS-4] what is signed is what the server library signs", () => {
  it("for a private channel", () => {
    const hex = sign(channelContent(SOCKET, "private-foobar", null));
    expect(hex).toBe("58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4");
    expect(parseAuth(library.authorizeChannel(SOCKET, "private-foobar").auth)).toEqual({ key: KEY, hex });
  });

  it("for a presence channel, with its data as they are", () => {
    const member = { user_id: "10", user_info: { name: "Mr. Channels" } };
    const { auth, channel_data: data } = library.authorizeChannel(SOCKET, "presence-foobar", member);
    expect(auth).toBe(`${KEY}:${sign(channelContent(SOCKET, "presence-foobar", data!))}`);
    const documented = '{"user_id":10,"user_info":{"name":"Mr. Channels"}}';
    expect(sign(channelContent(SOCKET, "presence-foobar", documented))).toBe(
      "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80",
    );
  });

  it("and never for a channel whose name, with its data, spells the other's", () => {
    expect(channelContent(SOCKET, "private-org", "7:user:2")).toBeNull();
    expect(channelContent(SOCKET, "private-org", "")).toBeNull();
    expect(channelContent(SOCKET, "private-org:7:user:2", null)).toBe(`${SOCKET}:private-org:7:user:2`);
  });

  it("for a user", () => {
    const { auth, user_data: data } = library.authenticateUser(SOCKET, { id: "12345" });
    expect(sign(userContent(SOCKET, data))).toBe("4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba");
    expect(auth).toBe(`${KEY}:${sign(userContent(SOCKET, data))}`);
  });

  it("for a request with a body, and for one with parameters in any order and case", () => {
    const time = { auth_key: KEY, auth_timestamp: "1353088179", auth_version: "1.0", auth_signature: "not signed" };
    const post = new Map(Object.entries({ ...time, body_md5: "ec365a775a4cd0599faeb73354201b6f" }));
    expect(sign(requestContent("POST", "/apps/3/events", post))).toBe(
      "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c",
    );
    const get = new Map(Object.entries({ INFO: "user_count", filter_by_prefix: "presence-", ...time }));
    expect(sign(requestContent("GET", "/apps/3/channels", get))).toBe(
      "16819168891cb5dfd72b5c7a5d3d602605b26c6ba1930033b5e2eeeb65010291",
    );
  });
});

it.each(["", "key", "key:", ":58df", `key:${"g".repeat(64)}`, `key:${"A".repeat(64)}`, `a b:${"a".repeat(64)}`])(
  "[PUS-4] %s is no signature",
  (text) => expect(parseAuth(text)).toBeNull(),
);
