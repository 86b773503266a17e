/**
 * Laravel Echo as it comes from npm, in Node and in a real browser, before an application's server that signs for it the
 * way Laravel does. In the browser skipped, and said so, where no Chromium is found.
 */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import Echo from "laravel-echo";
import { chromium, type Browser, type Page } from "playwright-core";
import type PusherServer from "pusher";
import Pusher from "pusher-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findChromium } from "../../scripts/lib/chromium.ts";
import { makePusherKey, pusherServer, type PusherKey } from "../builders/pusher.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

const executablePath = findChromium(process.env);
if (executablePath === null) console.log("Echo is not tried in a browser: no Chromium was found.");

const require = createRequire(import.meta.url);
const distOf = (name: string): string => dirname(require.resolve(name));
const SCRIPTS: Readonly<Record<string, string>> = {
  "/pusher.js": join(distOf("pusher-js"), "../web/pusher.js"),
  "/echo.js": join(distOf("laravel-echo"), "echo.iife.js"),
};

let hub: Hub;
let key: PusherKey;
let server: PusherServer;
let app: Server;
let appUrl: string;

beforeAll(async () => {
  hub = await startHub();
  key = await makePusherKey(hub);
  server = pusherServer(hub, key);
  app = createServer((request, response) => {
    void answer(request).then(({ type, body }) => response.setHeader("content-type", type).end(body));
  });
  await new Promise<void>((resolve) => {
    app.listen(0, "127.0.0.1", resolve);
  });
  appUrl = `http://127.0.0.1:${(app.address() as AddressInfo).port}`;
});
afterAll(async () => {
  app.closeAllConnections();
  app.close();
  await hub.close();
});

/** `?as=`: who has logged in to the application. */
async function answer(request: IncomingMessage): Promise<{ type: string; body: string }> {
  const { pathname, searchParams } = new URL(request.url!, appUrl);
  const script = SCRIPTS[pathname];
  if (script !== undefined) return { type: "text/javascript", body: readFileSync(script, "utf8") };
  if (pathname === "/")
    return { type: "text/html", body: `<script src="/pusher.js"></script><script src="/echo.js"></script>` };
  if (!pathname.startsWith("/broadcasting/")) return { type: "text/plain", body: "" }; // A browser's own wishes.
  let body = "";
  for await (const chunk of request) body += String(chunk);
  const form = new URLSearchParams(body);
  const [socket, channel] = [form.get("socket_id")!, form.get("channel_name")!];
  const user = searchParams.get("as") ?? "nobody";
  const member = { user_id: user, user_info: { name: user } };
  const signed = pathname.endsWith("user-auth")
    ? server.authenticateUser(socket, { id: user })
    : server.authorizeChannel(socket, channel, channel.startsWith("presence-") ? member : undefined);
  return { type: "application/json", body: JSON.stringify(signed) };
}

const optionsOf = (broadcaster: "pusher" | "reverb", user: string) => {
  const { hostname: wsHost, port } = new URL(hub.url);
  const at = { wsHost, wsPort: Number(port), forceTLS: false, enabledTransports: ["ws", "wss"] };
  const authEndpoint = `${appUrl}/broadcasting/auth?as=${user}`;
  const userAuthentication = { endpoint: `${appUrl}/broadcasting/user-auth?as=${user}`, headers: {} };
  return { broadcaster, key: key.key, cluster: "none", disableStats: true, authEndpoint, userAuthentication, ...at };
};

/** What a client of Echo does and hears, in Node and in the page alike: the page is given the text of this function. */
function follow(echo: Echo<"pusher">, room: string, heard: unknown[][]): void {
  const note = (name: string) => (data: unknown) => void heard.push([name, data]);
  echo
    .channel(`${room}-news`)
    .listen(".headline", note("headline"))
    .subscribed(() => note("subscribed")("news"));
  echo
    .private(`${room}-desk`)
    .listen(".memo", note("memo"))
    .listenForWhisper("nod", note("whisper"))
    .subscribed(() => note("subscribed")("desk"));
  echo
    .join(`${room}-lobby`)
    .here((members: { name: string }[]) => note("here")(members.map(({ name }) => name).toSorted()))
    .joining(note("joining"))
    .leaving(note("leaving"));
}

interface Client {
  heard(): Promise<readonly (readonly [string, unknown])[]>;
  whisper(room: string): Promise<void>;
  end(): Promise<void>;
}

const named = async (client: Client, name: string): Promise<unknown[]> =>
  (await client.heard()).filter(([heard]) => heard === name).map(([, data]) => data);

const untilHeard = (client: Client, name: string, count = 1): Promise<unknown[]> =>
  eventually(
    () => named(client, name),
    (found) => found.length >= count,
    `${count} of ${name}`,
  );

/** The story that every broadcaster must tell, wherever it runs: two tabs of Ann and one of Bob. */
async function story(room: string, open: (user: string) => Promise<Client>): Promise<void> {
  const [ann, annAgain] = [await open("ann"), await open("ann")];
  for (const client of [ann, annAgain]) {
    await untilHeard(client, "subscribed", 2);
    expect(await untilHeard(client, "here")).toEqual([["ann"]]);
  }
  const bob = await open("bob");
  await untilHeard(bob, "subscribed", 2);
  expect(await untilHeard(bob, "here")).toEqual([["ann", "bob"]]);
  expect(await untilHeard(ann, "joining")).toEqual([{ name: "bob" }]);
  await server.trigger(`${room}-news`, "headline", { title: "Good" });
  await server.trigger(`private-${room}-desk`, "memo", { n: 1 });
  for (const client of [ann, annAgain, bob]) {
    expect(await untilHeard(client, "headline")).toEqual([{ title: "Good" }]);
    expect(await untilHeard(client, "memo")).toEqual([{ n: 1 }]);
  }
  await bob.whisper(room);
  expect(await untilHeard(ann, "whisper")).toEqual([{ to: "all" }]);
  expect(await named(bob, "whisper")).toEqual([]);
  await annAgain.end();
  await bob.end();
  expect(await untilHeard(ann, "leaving")).toEqual([{ name: "bob" }]);
  expect(await named(ann, "joining")).toEqual([{ name: "bob" }]);
  await ann.end();
}

describe.each(["pusher", "reverb"] as const)("Laravel Echo with the broadcaster %s", (broadcaster) => {
  it("[PUS-19] works in Node", async () => {
    const room = `node-${broadcaster}`;
    await story(room, async (user) => {
      const heard: [string, unknown][] = [];
      const options = { ...optionsOf(broadcaster, user), Pusher } as unknown as ConstructorParameters<
        typeof Echo<"pusher">
      >[0];
      const echo = new Echo<"pusher">(options);
      follow(echo, room, heard);
      return {
        heard: () => Promise.resolve(heard),
        whisper: async () => void echo.private(`${room}-desk`).whisper("nod", { to: "all" }),
        end: async () => echo.disconnect(),
      };
    });
  });
});

describe.skipIf(executablePath === null)("Laravel Echo in Chromium", () => {
  let browser: Browser;
  beforeAll(async () => {
    const args = ["--no-sandbox", "--disable-dev-shm-usage"];
    browser = await chromium.launch({ executablePath: executablePath!, args });
  }, 90_000);
  afterAll(() => browser?.close());

  async function open(broadcaster: "pusher" | "reverb", room: string, user: string): Promise<Client> {
    const page: Page = await browser.newPage();
    await page.goto(appUrl);
    const start = `
      globalThis.heard = [];
      globalThis.echo = new (Echo.default ?? Echo)(${JSON.stringify(optionsOf(broadcaster, user))});
      (${follow.toString()})(echo, ${JSON.stringify(room)}, heard);`;
    await page.evaluate(start);
    return {
      heard: () => page.evaluate("heard"),
      whisper: () =>
        page.evaluate(`void echo.private(${JSON.stringify(`${room}-desk`)}).whisper("nod", { to: "all" })`),
      end: () => page.close(),
    };
  }

  it.each(["pusher", "reverb"] as const)("[PUS-19] works with the broadcaster %s", async (broadcaster) => {
    const room = `page-${broadcaster}`;
    await story(room, (user) => open(broadcaster, room, user));
  });
});
