/**
 * Holds what tests send and get against what the OpenAPI document says of it: a body that the hub accepted must be one
 * that is described, and so must each answer, so that the document cannot say less or other than the hub does.
 */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { formatOpenApi, addressOf, isSocket } from "../../src/wire/openapi/document.ts";
import type { RouteDescription } from "../../src/wire/openapi/route-description.ts";
import { NAMED_SHAPES, ROUTE_GROUPS } from "../../src/worker/descriptions/route-groups.ts";

export interface Exchange {
  readonly method: string;
  /** With or without a query. */
  readonly path: string;
  /** Parsed; undefined: there was no JSON. */
  readonly sent: unknown;
  readonly status: number;
  readonly answered: unknown;
}

const routes = ROUTE_GROUPS.flatMap((group) => group.routes);
let ajv: Ajv2020 | null = null;

/** What the exchange has that is not described; null: it is as the document says, or at an address that it has not. */
export function undescribed({ method, path, sent, status, answered }: Exchange): string | null {
  const route = routeOf(method, path);
  if (route === null || isSocket(route) || isOfAddress(answered)) return null;
  if (status < 300 && sent !== undefined) {
    const complaint = requestComplaint(route, sent);
    if (complaint !== null) return `${route.route} accepted a body that its description refuses: ${complaint}`;
  }
  const complaint = answerComplaint(route, status, answered);
  return complaint === null ? null : `${route.route} answered ${status} as it is not described: ${complaint}`;
}

/** The route that answers at an address; of those with names in them the one with fewest. */
export function routeOf(method: string, path: string): RouteDescription | null {
  const [bare] = path.split("?");
  const fitting = routes.filter(({ route }) => {
    const [verb, pattern] = route.split(" ") as [string, string];
    const words = pattern.replaceAll(".", "\\.").replaceAll(/:\w+/g, "[^/]+");
    return verb === method && new RegExp(`^${words}$`).test(bare!);
  });
  return fitting.toSorted((left, right) => parametersIn(left) - parametersIn(right))[0] ?? null;
}

const parametersIn = ({ route }: RouteDescription): number => route.split(":").length;

/** Null: the described body is such a one, or nothing is said of bodies. */
export function requestComplaint(route: RouteDescription, body: unknown): string | null {
  if (route.body === undefined) return null;
  return complaintOf(`${pointerTo(route)}/requestBody/content/application~1json/schema`, body);
}

function answerComplaint(route: RouteDescription, status: number, body: unknown): string | null {
  const described = route.answers.find((answer) => answer.status === status);
  if (described === undefined && status < 400) return "no answer of that status is described";
  if (described !== undefined && described.content?.["application/json"] === undefined) return null;
  if (described === undefined) return refusalComplaint(route, status, body);
  return complaintOf(`${pointerTo(route)}/responses/${status}/content/application~1json/schema`, body);
}

function refusalComplaint(route: RouteDescription, status: number, body: unknown): string | null {
  const { path, method } = addressOf(route);
  const described = (document().paths[path]![method] as { responses: Record<string, { $ref: string }> }).responses;
  const response = described[String(status)];
  if (response === undefined) return JSON.stringify(body);
  const at = response.$ref.slice(1);
  return complaintOf(`#${at}/content/application~1problem+json/schema`, body);
}

/** Refused before any route was found. */
const isOfAddress = (answer: unknown): boolean =>
  ["route_not_found", "method_not_allowed"].includes((answer as { code?: string } | null)?.code ?? "");

function pointerTo(route: RouteDescription): string {
  const { method, path } = addressOf(route);
  return `#/paths/${encodeURIComponent(path.replaceAll("~", "~0").replaceAll("/", "~1"))}/${method}`;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

let made: Document | null = null;
const document = (): Document =>
  (made ??= formatOpenApi({
    groups: ROUTE_GROUPS,
    shapes: NAMED_SHAPES,
    origin: "https://hub.example.org",
    version: "0",
  }) as Document);

/** By a schema of the document; null: none. */
export function complaintOf(pointer: string, value: unknown): string | null {
  if (ajv === null) {
    ajv = new Ajv2020({ strict: false, allErrors: false });
    addFormats(ajv);
    ajv.addSchema({ $id: "openapi", ...document() });
  }
  const validate = ajv.getSchema(`openapi${pointer}`) as ValidateFunction | undefined;
  if (validate === undefined) return `nothing stands at ${pointer}`;
  if (validate(value)) return null;
  return `${ajv.errorsText(validate.errors)} in ${JSON.stringify(value).slice(0, 600)}`;
}
