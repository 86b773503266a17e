/** The server's plumbing: one table of routes, JSON in and out, and of all web pages only the hub's own. */
import type { IncomingMessage, ServerResponse } from "node:http";

export interface Answer {
  readonly status: number;
  readonly body?: unknown;
}

export type Route = (request: IncomingMessage, body: string) => Answer | Promise<Answer>;

const BODY_BYTES_MAX = 1_048_576;

export async function answerRequest(
  routes: ReadonlyMap<string, Route>,
  origins: ReadonlySet<string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { origin } = request.headers;
  // A stranger's page must not place orders, even though it could not read the answer.
  if (origin !== undefined && !origins.has(origin)) return void response.writeHead(403).end();
  const cors =
    origin === undefined
      ? {}
      : {
          "access-control-allow-origin": origin,
          "access-control-allow-headers": "content-type",
          vary: "origin",
        };
  if (request.method === "OPTIONS") return void response.writeHead(204, cors).end();
  const { status, body } = await answerOf(routes, request);
  response.writeHead(status, { ...cors, ...(body !== undefined && { "content-type": "application/json" }) });
  response.end(body === undefined ? undefined : JSON.stringify(body));
}

async function answerOf(routes: ReadonlyMap<string, Route>, request: IncomingMessage): Promise<Answer> {
  const route = routes.get(`${request.method} ${request.url}`);
  if (route === undefined) return { status: 404, body: { error: "There is no such address." } };
  try {
    return await route(request, await readBody(request));
  } catch (error) {
    return { status: 500, body: { error: (error as Error).message } };
  }
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_BYTES_MAX) throw new Error(`A body is at most ${BODY_BYTES_MAX} bytes.`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Null for what is no JSON; the checks that follow refuse it. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
