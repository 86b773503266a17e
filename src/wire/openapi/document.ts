/** `GET /v1/openapi.json`: what is said of the routes, as OpenAPI 3.1. */
import { ERRORS, type ErrorCode } from "../../core/errors.ts";
import type { AnswerDescription, Parameter, RouteDescription, RouteGroup } from "./route-description.ts";
import { problemsOf } from "./route-problems.ts";
import { named, text, type Shape, type Shapes } from "./shapes.ts";

export interface OpenApiParts {
  readonly groups: readonly RouteGroup[];
  /** What the groups name; what nobody names is left out. */
  readonly shapes: Shapes;
  /** Where the hub is reached: `https://hub.example`. */
  readonly origin: string;
  readonly version: string;
}

export function formatOpenApi({ groups, shapes, origin, version }: OpenApiParts): object {
  const paths: Record<string, Record<string, object>> = {};
  const refused = new Refusals();
  for (const { name, routes } of groups) {
    for (const route of routes.filter((each) => !isSocket(each))) {
      const { method, path } = addressOf(route);
      (paths[path] ??= {})[method] = operation(route, name, refused);
    }
  }
  return {
    openapi: "3.1.0",
    info: INFO(version),
    servers: [{ url: origin }],
    security: [{ bearer: [] }],
    tags: groups.map(({ name, says }) => ({ name, description: says })),
    paths,
    components: {
      securitySchemes: SECURITY_SCHEMES,
      responses: refused.all(),
      schemas: reached(shapes, [paths, refused.all()]),
    },
  };
}

/** OpenAPI has no words for a socket: what goes over it stands in the AsyncAPI document. */
export const isSocket = ({ answers }: Pick<RouteDescription, "answers">): boolean =>
  answers.every(({ status }) => status === 101);

const INFO = (version: string) => ({
  title: "Tidings",
  version,
  description:
    "An event hub: ordered durable topics, live browsers, delivery that does not give up. Every refusal is a problem " +
    "(RFC 9457) with a stable `code`; every answer carries `X-Request-Id`. Who holds the root key may name another " +
    "app in `Tidings-App`.",
  contact: { name: "Who runs this hub" },
  license: { name: "MIT", identifier: "MIT" },
});

const SECURITY_SCHEMES = {
  bearer: { type: "http", scheme: "bearer", description: "An API key, or a token that was signed for a browser." },
  token: {
    type: "apiKey",
    in: "query",
    name: "token",
    description: "A token, where a browser has no other way: to open the socket or a stream.",
  },
  signed: {
    type: "apiKey",
    in: "query",
    name: "auth_signature",
    description:
      "The request signed as Pusher's server libraries do, beside auth_key, auth_timestamp and auth_version.",
  },
};

const SECURITY_BY_ACCESS = {
  open: [],
  signed: [{ signed: [] }],
  live: [{ bearer: [] }, { token: [] }],
};

/** `POST /v1/topics/:topic/events` as the document has it. */
export function addressOf({ route }: Pick<RouteDescription, "route">): { method: string; path: string } {
  const [method, path] = route.split(" ") as [string, string];
  return { method: method.toLowerCase(), path: path.replaceAll(/:(\w+)/g, "{$1}") };
}

function operation(route: RouteDescription, tag: string, refused: Refusals): object {
  const { id, summary, details, scope, access, body, isBodyOptional } = route;
  return {
    operationId: id,
    tags: [tag],
    summary,
    description: `${details === undefined ? "" : `${details}\n\n`}Allowed by: ${scope}.`,
    ...(access !== undefined && { security: SECURITY_BY_ACCESS[access] }),
    parameters: parameters(route),
    ...(body !== undefined && { requestBody: { required: isBodyOptional !== true, content: contentOf(body) } }),
    responses: Object.fromEntries([...route.answers.map(answer), ...refused.of(problemsOf(route))]),
  };
}

const answer = ({ status, says, content }: AnswerDescription): [string, object] => [
  String(status),
  { description: says, ...(content !== undefined && { content: contentOf(content) }) },
];

const contentOf = (shapes: Readonly<Record<string, Shape>>): object =>
  Object.fromEntries(Object.entries(shapes).map(([type, schema]) => [type, { schema }]));

/** Answers that refuse: one for each status and each set of codes, since many routes share theirs. */
class Refusals {
  readonly #byCodes = new Map<string, { readonly name: string; readonly response: object }>();

  /** By status. */
  of(codes: readonly ErrorCode[]): [string, object][] {
    const byStatus = Map.groupBy(codes, (code) => ERRORS[code].status);
    return [...byStatus].map(([status, those]) => [
      String(status),
      { $ref: `#/components/responses/${this.#name(status, those)}` },
    ]);
  }

  all(): object {
    return Object.fromEntries([...this.#byCodes.values()].map(({ name, response }) => [name, response]));
  }

  #name(status: number, codes: readonly ErrorCode[]): string {
    const known = this.#byCodes.get(codes.join(" "));
    if (known !== undefined) return known.name;
    const name = `Refused${status}_${this.#byCodes.size}`;
    const schema = { allOf: [named("Problem"), { type: "object", properties: { code: { enum: codes } } }] };
    const description = codes.map((code) => ERRORS[code].says).join(" ");
    this.#byCodes.set(codes.join(" "), {
      name,
      response: { description, content: { "application/problem+json": { schema } } },
    });
    return name;
  }
}

function parameters({ route, query = {}, headers = {}, isRepeatable, access }: RouteDescription): object[] {
  const inPath = [...route.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    description: PATH_PARAMETERS[name!]!,
    schema: text({ minLength: 1 }),
  }));
  const common = {
    ...(isRepeatable && { "Idempotency-Key": REPEAT_KEY }),
    ...(access === undefined && { "Tidings-App": OTHER_APP }),
  };
  return [
    ...inPath,
    ...Object.entries(query).map((each) => parameter("query", each)),
    ...Object.entries({ ...headers, ...common }).map((each) => parameter("header", each)),
  ];
}

const parameter = (place: string, [name, { says, shape, isRequired }]: [string, Parameter]): object => ({
  name,
  in: place,
  required: isRequired === true,
  description: says,
  schema: shape,
});

const REPEAT_KEY: Parameter = {
  says: "1 to 255 printable ASCII characters: a repeat within 24 h gets the first answer again.",
  shape: text({ minLength: 1, maxLength: 257 }),
};

const OTHER_APP: Parameter = { says: "With the root key: the app that is meant.", shape: text({ minLength: 1 }) };

const PATH_PARAMETERS: Readonly<Record<string, string>> = {
  app: "An app: its name, or for Pusher's libraries its app id.",
  channel: "A channel's name.",
  id: "An id.",
  key: "An API key's id.",
  name: "A name.",
  topic: "A topic's name; a channel has the name of its topic.",
  type: "An event type.",
  user: "A user's id.",
  version: "A version's number.",
};

/** The shapes that are named from here on, those that these name, and so on. */
function reached(shapes: Shapes, root: unknown): Shapes {
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    for (const [, name] of JSON.stringify(value).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (found.has(name!)) continue;
      found.add(name!);
      visit(shapes[name!]!);
    }
  };
  visit(root);
  return Object.fromEntries(Object.entries(shapes).filter(([name]) => found.has(name)));
}
