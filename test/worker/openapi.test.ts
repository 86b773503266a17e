import { createConfig, lintFromString } from "@redocly/openapi-core";
import spectralCore from "@stoplight/spectral-core";
import spectralRulesets from "@stoplight/spectral-rulesets";
import { describe, expect, it } from "vitest";
import { ERRORS, type ErrorCode } from "../../src/core/errors.ts";
import { formatOpenApi, isSocket } from "../../src/wire/openapi/document.ts";
import { problemsOf } from "../../src/wire/openapi/route-problems.ts";
import { NAMED_SHAPES, ROUTE_GROUPS } from "../../src/worker/descriptions/route-groups.ts";
import { BAD_APPS, BAD_KEYS, BAD_REVOCATIONS, BAD_TOKENS, BAD_USER_CALLS } from "../builders/bad-access.ts";
import { BAD_COMMANDS } from "../builders/bad-commands.ts";
import { BAD_BATCHES } from "../builders/bad-batches.ts";
import { BAD_PULLS, BAD_REPAIRS, BAD_SUBSCRIPTIONS, BAD_TOPICS } from "../builders/bad-definitions.ts";
import { BAD_SCHEDULES } from "../builders/bad-schedules.ts";
import { BAD_SCHEMAS } from "../builders/bad-schemas.ts";
import { BAD_BODIES, BAD_CONDITIONS, BAD_EVENTS, BAD_READS, type BadRequest } from "../builders/refusals.ts";
import { ROUTES } from "../builders/route-refusals.ts";
import { complaintOf, requestComplaint, routeOf } from "../harness/contract.ts";

const described = ROUTE_GROUPS.flatMap(({ routes }) => routes);
const document = formatOpenApi({
  groups: ROUTE_GROUPS,
  shapes: NAMED_SHAPES,
  origin: "https://hub.example.org",
  version: "1.0.0",
});

const BAD_REQUESTS: readonly BadRequest[] = [
  ...BAD_BODIES,
  ...BAD_EVENTS,
  ...BAD_CONDITIONS,
  ...BAD_READS,
  ...BAD_TOPICS,
  ...BAD_SUBSCRIPTIONS,
  ...BAD_REPAIRS,
  ...BAD_PULLS,
  ...BAD_COMMANDS,
  ...BAD_BATCHES,
  ...BAD_SCHEMAS,
  ...BAD_SCHEDULES,
  ...BAD_APPS,
  ...BAD_KEYS,
  ...BAD_TOKENS,
  ...BAD_REVOCATIONS,
  ...BAD_USER_CALLS,
];

/** Told on sockets, or by what is no route. */
const ELSEWHERE = [
  "client_event_refused",
  "connection_silent",
  "dead_letter_not_found",
  "frame_invalid",
  "frame_too_large",
  "method_not_allowed",
  "not_acceptable",
  "presence_invalid",
  "presence_not_entered",
  "presence_user_missing",
  "reader_too_slow",
  "route_not_found",
  "too_many_channels",
  "too_many_client_events",
  "too_many_frames",
  "too_many_members",
  "user_disconnected",
];

/** A bad body is one that is JSON and refused for what stands in it. */
function judge({ method, path, headers, body, code }: BadRequest): { route: string; isRefused: boolean }[] {
  const isOfForm =
    /^(app|batch|command|event|filter|key|parameter|policy|revocation|schedule|schema|subscription|topic)_invalid$/.test(
      code,
    );
  const route = isOfForm && headers["content-type"] === "application/json" ? routeOf(method, path) : null;
  if (route?.body === undefined || typeof body !== "string") return [];
  return [{ route: route.route, isRefused: requestComplaint(route, JSON.parse(body)) !== null }];
}

describe("the description of the routes", () => {
  it("[DOC-1] has each route that is registered, and no other", () => {
    expect(described.map(({ route }) => route).toSorted()).toEqual(
      ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted(),
    );
    const ids = described.map(({ id }) => id);
    expect(ids.length).toBe(new Set(ids).size);
  });

  it("[DOC-2] is an OpenAPI document to which Redocly and Spectral have nothing to say", async () => {
    const config = await createConfig({ extends: ["recommended"] });
    const source = JSON.stringify(document);
    const complaints = await lintFromString({ source, absoluteRef: "openapi.json", config });
    const refusesNobody = described.filter((each) => each.access === "open" && !isSocket(each)).length;
    // That an operation has no refusal is a warning; these have none.
    expect(complaints.map(({ ruleId, message }) => [ruleId, message])).toEqual(
      Array.from({ length: refusesNobody }, () => [
        "operation-4xx-response",
        "Operation must have at least one `4XX` response.",
      ]),
    );
    const spectral = new spectralCore.Spectral();
    spectral.setRuleset({ extends: [spectralRulesets.oas as never] });
    expect(await spectral.run(document as never)).toEqual([]);
    expect(await spectral.run({ ...document, info: {} } as never)).not.toEqual([]);
  });

  it("[DOC-3] names every refusal of the tables at the route that says it", () => {
    const isOfNoRoute = (code: ErrorCode): boolean => code === "route_not_found" || code === "method_not_allowed";
    const unnamed = BAD_REQUESTS.flatMap(({ name, method, path, code }) => {
      const route = isOfNoRoute(code) ? null : routeOf(method, path);
      return route === null || problemsOf(route).includes(code) ? [] : [`${route.route} with ${name}: ${code}`];
    });
    expect(unnamed).toEqual([]);
  });

  it("[DOC-3] gives each error a place: at a route, or elsewhere", () => {
    const told = new Set(described.flatMap(problemsOf));
    const others = Object.keys(ERRORS).filter((code) => !told.has(code as ErrorCode));
    expect(others).toEqual(ELSEWHERE);
  });

  it("[DOC-4] refuses what the tables send, where a schema can tell", () => {
    const judged = BAD_REQUESTS.flatMap(judge);
    const told = judged.filter(({ isRefused }) => isRefused).length;
    console.log(`Of ${judged.length} bad bodies ${told} are refused by their schemas already.`);
    for (const [route, rows] of Map.groupBy(judged, (row) => row.route))
      expect([route, rows.some(({ isRefused }) => isRefused)]).toEqual([route, true]);
    expect(told).toBeGreaterThan(judged.length / 2);
  });

  it("[DOC-4] refuses an unknown member in every body that is an object, and takes its own examples", () => {
    for (const route of described.filter(({ route: at, body }) => at.includes(" /v1/") && body !== undefined))
      expect([route.route, requestComplaint(route, { unheardOf: 1 })]).not.toEqual([route.route, null]);
    for (const [name, shape] of Object.entries(NAMED_SHAPES))
      for (const example of (shape["examples"] ?? []) as unknown[])
        expect([name, complaintOf(`#/components/schemas/${name}`, example)]).toEqual([name, null]);
  });
});
