/**
 * The chat's backend: it decides who may enter which rooms, and holds the key so that no browser does. Everything else
 * goes between the browsers and the hub.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { answerRequest, parseJson, type Answer, type Route } from "../orders/http.ts";

export interface Chat {
  readonly url: string;
  close(): Promise<void>;
}

export interface ChatOptions {
  /** The hub's address; its page may ask here for tokens, under that name or as localhost. */
  readonly hub: string;
  readonly key: string;
}

const NAME_CHARS_MAX = 40;
/** Short, so that a browser shows how it renews them. */
const TOKEN_LIFE = "10m";
const SCOPES = ["subscribe", "publish", "presence"].map((action) => `${action}:presence-chat.*`);

export async function startChat({ hub, key }: ChatOptions): Promise<Chat> {
  const origins = new Set([hub, hub.replace("127.0.0.1", "localhost")]);
  const routes = new Map<string, Route>([["POST /token", (_request, body) => makeToken(hub, key, body)]]);
  const server = createServer((request, response) => void answerRequest(routes, origins, request, response));
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Here a name is enough; a program of yours asks its session who this is. */
async function makeToken(hub: string, key: string, body: string): Promise<Answer> {
  const name = (parseJson(body) as { name?: unknown } | null)?.name;
  if (typeof name !== "string" || name.trim() === "" || name.length > NAME_CHARS_MAX) {
    return { status: 422, body: { error: `A name has 1 to ${NAME_CHARS_MAX} characters.` } };
  }
  const response = await fetch(`${hub}/v1/tokens`, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify({ scopes: SCOPES, user: { id: name.trim(), data: { name: name.trim() } }, ttl: TOKEN_LIFE }),
  });
  const { token, title } = (await response.json()) as { token?: string; title?: string };
  return response.ok ? { status: 200, body: { token } } : { status: 502, body: { error: title } };
}
