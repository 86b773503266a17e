/**
 * `GET /v1/asyncapi.json`: an app's topics and event types as AsyncAPI 3.0, seen from the hub: it receives what
 * producers publish, and sends it to who follows.
 */
import { holdsReference, plainSchema } from "./plain-schema.ts";

export interface AsyncApiParts {
  readonly app: string;
  /** Where the hub is reached: `https://hub.example`. */
  readonly origin: string;
  readonly topics: readonly AsyncApiTopic[];
  readonly types: readonly AsyncApiType[];
  /** False: there are more topics or types than are shown, or more schemas than are written out. */
  readonly complete: boolean;
}

export interface AsyncApiTopic {
  readonly name: string;
  readonly description: string | null;
  /** Whether who asks may publish there, and follow it. */
  readonly receives: boolean;
  readonly sends: boolean;
  /** The types of its events, as far as they were seen. */
  readonly types: readonly string[];
}

export interface AsyncApiType {
  readonly type: string;
  /** Null: it has no schema. Versions count from 1. */
  readonly contract: { readonly version: number; readonly dataschema: string; readonly owner: string | null } | null;
  /** The newest version, parsed; null: it is not written out. */
  readonly schema: unknown;
  /** Payloads that keep to it. */
  readonly examples: readonly unknown[];
}

export function formatAsyncApi({ app, origin, topics, types, complete }: AsyncApiParts): object {
  const known = new Set(types.map(({ type }) => type));
  return {
    asyncapi: "3.0.0",
    info: {
      title: `Events of ${app}`,
      version: "1.0.0",
      description:
        "Each channel is a topic: an ordered log. A message is a CloudEvent. Where no type was seen yet, any may come.",
      contact: { name: "Who runs this hub", url: origin },
      license: { name: "MIT", url: "https://opensource.org/license/mit" },
      tags: [{ name: "tidings" }],
      "x-complete": complete,
    },
    defaultContentType: CONTENT_TYPE,
    servers: serversAt(origin),
    channels: Object.fromEntries(topics.map((topic) => [idOf(topic.name), channel(topic, messagesOf(topic, known))])),
    operations: Object.fromEntries(topics.flatMap((topic) => operations(topic, messagesOf(topic, known)))),
    components: {
      messages: Object.fromEntries([
        [ANY, { name: "event", title: "Any event", contentType: CONTENT_TYPE, payload: envelopeOf(null, true) }],
        ...types.map((each) => [idOf(each.type), message(each, app)]),
      ]),
      schemas: Object.fromEntries(
        types
          .filter(({ schema }) => schema !== null)
          .map(({ type, schema }) => [idOf(type), asObject(plainSchema(schema))]),
      ),
      securitySchemes: SECURITY_SCHEMES,
    },
  };
}

const CONTENT_TYPE = "application/cloudevents+json";

/** No type has it for an id: the ids of others hold no capital letter that is not written out. */
const ANY = "ANY";

/**
 * A name as a member's name of the document: small letters, digits, `.` and `-` as they are, any other character as its
 * number between underscores. No two names meet, and none is one that every object has.
 */
const idOf = (name: string): string =>
  name.replaceAll(name in {} ? /^./gu : /[^a-z0-9.-]/gu, (char) => `_${char.codePointAt(0)!.toString(16)}_`);

const SECURITY_SCHEMES = {
  bearer: { type: "http", scheme: "bearer", description: "An API key, or a token that was signed for a browser." },
  token: { type: "httpApiKey", in: "query", name: "token", description: "A token, for a browser's socket." },
};

const scheme = (name: keyof typeof SECURITY_SCHEMES) => ({ $ref: `#/components/securitySchemes/${name}` });

function serversAt(origin: string): object {
  const { host, protocol } = new URL(origin);
  const isSecure = protocol === "https:";
  return {
    http: {
      host,
      protocol: isSecure ? "https" : "http",
      pathname: "/v1/topics",
      description: "Publish with POST /v1/topics/{channel}/events, read with GET.",
      security: [scheme("bearer")],
    },
    socket: {
      host,
      protocol: isSecure ? "wss" : "ws",
      pathname: "/v1/connect",
      description: "The subprotocol tidings.v1: subscribe and publish name the channel as their topic.",
      security: [scheme("bearer"), scheme("token")],
    },
  };
}

const messagesOf = ({ types }: AsyncApiTopic, known: ReadonlySet<string>): readonly string[] => {
  const ids = types.filter((type) => known.has(type)).map(idOf);
  return ids.length === 0 ? [ANY] : ids;
};

const channel = ({ name, description }: AsyncApiTopic, messages: readonly string[]): object => ({
  address: name,
  title: name,
  ...(description !== null && { description }),
  servers: [{ $ref: "#/servers/http" }, { $ref: "#/servers/socket" }],
  messages: Object.fromEntries(messages.map((id) => [id, { $ref: `#/components/messages/${id}` }])),
  bindings: { ws: { method: "GET", bindingVersion: "0.1.0" } },
});

function operations({ name, receives, sends }: AsyncApiTopic, messages: readonly string[]): [string, object][] {
  const id = idOf(name);
  const operation = (action: "receive" | "send", verb: string, says: string): [string, object] => [
    `${verb}.${id}`,
    {
      action,
      title: `${says} ${name}`,
      channel: { $ref: `#/channels/${id}` },
      messages: messages.map((each) => ({ $ref: `#/channels/${id}/messages/${each}` })),
    },
  ];
  return [
    ...(receives ? [operation("receive", "publish", "Publish to")] : []),
    ...(sends ? [operation("send", "follow", "Follow")] : []),
  ];
}

function message({ type, contract, schema, examples }: AsyncApiType, app: string): object {
  const shown = examples.filter((example) => !holdsReference(example));
  return {
    name: type,
    title: textIn(schema, "title") ?? type,
    ...(textIn(schema, "description") !== null && { description: textIn(schema, "description") }),
    contentType: CONTENT_TYPE,
    payload: envelopeOf(type, schema === null ? true : { $ref: `#/components/schemas/${idOf(type)}` }),
    ...(shown.length > 0 && {
      examples: shown.map((data, index) => ({
        name: `example ${index + 1}`,
        payload: { specversion: "1.0", id: `example-${index + 1}`, source: `/apps/${app}`, type, data },
      })),
    }),
    ...(contract !== null && {
      "x-version": contract.version,
      "x-versions": Array.from({ length: contract.version }, (_, index) => index + 1),
      "x-dataschema": contract.dataschema,
      ...(contract.owner !== null && { "x-owner": contract.owner }),
    }),
  };
}

/** The CloudEvent around the payload. */
const envelopeOf = (type: string | null, data: unknown): object => ({
  type: "object",
  required: ["specversion", "id", "source", "type"],
  properties: {
    specversion: { const: "1.0" },
    id: { type: "string" },
    source: { type: "string" },
    type: type === null ? { type: "string" } : { const: type },
    time: { type: "string", format: "date-time" },
    subject: { type: "string" },
    partitionkey: { type: "string" },
    dataschema: { type: "string" },
    datacontenttype: { type: "string" },
    data,
  },
});

/** Among the components `true` and `false` may not stand for themselves. */
const asObject = (schema: unknown): unknown => (typeof schema === "boolean" ? (schema ? {} : { not: {} }) : schema);

function textIn(schema: unknown, name: "title" | "description"): string | null {
  const value = typeof schema === "object" && schema !== null ? (schema as Record<string, unknown>)[name] : null;
  return typeof value === "string" && value !== "" ? value : null;
}
