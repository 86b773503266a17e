/** The contract on the wire, made from what is said of the routes. It shows nothing of any app, and asks for no key. */
import { Hono } from "hono";
import { formatOpenApi } from "../../wire/openapi/document.ts";
import type { HubBindings, HubContext } from "../context.ts";
import { NAMED_SHAPES, ROUTE_GROUPS } from "../descriptions/route-groups.ts";
import { jsonText } from "../respond.ts";

export const openApiRoute = new Hono<HubBindings>().get("/openapi.json", getOpenApi);

/** Of the contract, `/v1`; it grows with what the contract gains. */
const CONTRACT_VERSION = "1.0.0";

let made = { origin: "", text: "" };

/** Made once for the address by which the isolate is reached. */
function getOpenApi(c: HubContext): Response {
  const { origin } = new URL(c.req.url);
  if (made.origin !== origin) made = { origin, text: JSON.stringify(openApiOf(origin)) };
  return jsonText(made.text, 200, { "cache-control": "public, max-age=300" });
}

const openApiOf = (origin: string): object =>
  formatOpenApi({ groups: ROUTE_GROUPS, shapes: NAMED_SHAPES, origin, version: CONTRACT_VERSION });
