/** What every route refuses alike, made from the list of routes itself: a new route is held to it without being asked. */
import type { ErrorCode } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { app } from "../../src/worker/app.ts";
import { bad, MARK, type BadRequest } from "./refusals.ts";

export interface Route {
  readonly method: string;
  readonly path: string;
}

/** Every address that the hub answers at, each method once; middleware is none. */
export const ROUTES: readonly Route[] = [
  ...new Map(
    app.routes
      .filter(({ method }) => method !== "ALL")
      .map(({ method, path }) => [`${method} ${path}`, { method, path }] as const),
  ).values(),
];

/** Signed, or with a public key: they take no credential. Their own refusals stand in journeys/pusher-doors.test.ts. */
const isOfPusher = ({ path }: Route): boolean => path.startsWith("/app/") || path.startsWith("/apps/");

/** They show nothing of any app, to whoever asks. */
const OPEN: ReadonlySet<string> = new Set(["/healthz", "/v1/openapi.json"]);

/** All that want a credential. */
export const GUARDED: readonly Route[] = ROUTES.filter((route) => !OPEN.has(route.path) && !isOfPusher(route));

/** Signed as the server library signs. */
export const SIGNED: readonly Route[] = ROUTES.filter(({ path }) => path.startsWith("/apps/"));

export const unsignedAt = (route: Route): readonly BadRequest[] => [
  bad("no signature", addressOf(route), "unauthenticated"),
  bad("another's signature", `${addressOf(route)}?${FOREIGN}`, "signature_invalid"),
  bad("a root key instead", addressOf(route), "unauthenticated", { authorization: "Bearer test-root-key" }),
];

const FOREIGN = `auth_key=000000000000&auth_timestamp=1&auth_version=1.0&auth_signature=${"0".repeat(64)}`;

/** An address of the route; what it names need not be there. */
const addressOf = ({ method, path }: Route): string => `${method} ${path.replaceAll(/:\w+/g, "steady")}`;

export const matchesRoute = (
  { method, path }: Route,
  request: { readonly method: string; readonly path: string },
): boolean =>
  method === request.method &&
  new RegExp(`^${path.replaceAll(".", "\\.").replaceAll(/:\w+/g, "[^/?]+")}(\\?|$)`).test(request.path);

const JSON_TYPE = { "content-type": "application/json" };

export function refusalsOf(route: Route): readonly BadRequest[] {
  const at = addressOf(route);
  const refused = [
    bad("no credential", at, "unauthenticated", { authorization: "" }),
    bad("a wrong credential", at, "unauthenticated", { authorization: `Bearer ${MARK}` }),
    bad("an app that is not there", at, "app_not_found", { "tidings-app": MARK }),
    bad("a credential in the address", `${at}?access_token=${MARK}`, "credentials_in_url"),
    bad("a parameter twice", `${at}?x=1&x=2`, "parameter_invalid"),
  ];
  return route.method === "GET" ? refused : [...refused, ...bodyRefusalsAt(at)];
}

function bodyRefusalsAt(at: string): readonly BadRequest[] {
  const send = (name: string, body: BadRequest["body"], code: ErrorCode, headers: Record<string, string> = {}) =>
    bad(name, at, code, { ...JSON_TYPE, ...headers }, body);
  return [
    send("depth", `{"a":${"[".repeat(10_000)}`, "json_too_deep"),
    send("members", `{${'"a":1,'.repeat(LIMITS.JSON_KEYS_MAX)}"b":1}`, "json_too_many_keys"),
    send("half a character", '{"a":"\\udc00"}', "encoding_invalid"),
    send("bytes", new Uint8Array([0x22, 0xff, 0x22]), "encoding_invalid"),
    send("too much", " ".repeat(LIMITS.REQUEST_BYTES_MAX + 1), "body_too_large"),
    send("text", "{}", "content_type_unsupported", { "content-type": "text/plain" }),
    send("gzip", "{}", "content_type_unsupported", { "content-encoding": "gzip" }),
    send("two codings", "{}", "content_type_unsupported", { "content-encoding": "br, gzip" }),
    send("an empty Idempotency-Key", "{}", "idempotency_key_invalid", { "idempotency-key": "" }),
  ];
}
