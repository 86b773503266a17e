import { Parser } from "@asyncapi/parser";
import { describe, expect, it } from "vitest";
import { formatAsyncApi, type AsyncApiTopic, type AsyncApiType } from "../../../src/wire/asyncapi/document.ts";
import { plainSchema } from "../../../src/wire/asyncapi/plain-schema.ts";

const HOSTILE = [
  "a.b",
  "$x.y",
  'say"hi"',
  "ünï.cöde",
  "emoji😀",
  "a/b~c",
  "__proto__",
  "constructor",
  "A",
  "ANY",
  "{x}",
  "100%",
  "#/x",
];

/** What nobody may follow: the parser would go there. */
const ELSEWHERE = { $ref: "http://127.0.0.1:1/" };

const NASTY = {
  title: "Nasty",
  type: "object",
  discriminator: 5,
  externalDocs: 1,
  default: ELSEWHERE,
  properties: {
    $ref: { type: "string" },
    constructor: { type: "string" },
    whole: { $ref: "#/$defs/a b", description: "A whole number" },
    either: { enum: [ELSEWHERE] },
    list: { prefixItems: [{ type: "string" }], items: false },
    perhaps: { type: ["string", "null"] },
  },
  $defs: { "a b": { type: "integer", minimum: 1 } },
  dependentSchemas: { whole: { required: ["list"] } },
  unevaluatedProperties: false,
};

const typeOf = (type: string, schema: unknown, examples: readonly unknown[] = []): AsyncApiType => ({
  type,
  contract: { version: 2, dataschema: "tidings:/v1/schemas/x/versions/2", owner: "sales" },
  schema,
  examples,
});

const topicOf = (name: string, types: readonly string[]): AsyncApiTopic => ({
  name,
  description: null,
  receives: true,
  sends: true,
  types,
});

const documentOf = (topics: readonly AsyncApiTopic[], types: readonly AsyncApiType[]): object =>
  formatAsyncApi({ app: "default", origin: "https://hub.example.org", topics, types, complete: true });

/** That 3.1 is out is no mistake. */
async function complaintsAbout(document: object): Promise<string[]> {
  const diagnostics = await new Parser().validate(JSON.stringify(document));
  return diagnostics
    .filter(({ code }) => code !== "asyncapi-latest-version")
    .map(({ message, path }) => `${message} at ${path.join("/")}`);
}

describe("the AsyncAPI document", () => {
  it("[DOC-5] is one to which AsyncAPI's parser has nothing to say, whatever topics and types are called", async () => {
    const types = [
      ...HOSTILE.map((name) => typeOf(name, NASTY, [{ whole: 1, list: ["x"] }, ELSEWHERE])),
      typeOf("anything", true, [1]),
      typeOf("nothing", false),
      { type: "seen", contract: null, schema: null, examples: [] },
    ];
    const topics = [
      ...HOSTILE.map((name) => topicOf(name, [name])),
      topicOf(
        "all",
        types.map(({ type }) => type),
      ),
    ];
    const document = documentOf([...topics, topicOf("silent", [])], types);
    expect(await complaintsAbout(document)).toEqual([]);
    expect(JSON.stringify(document)).not.toContain(ELSEWHERE.$ref);
    expect(Object.keys((document as { channels: object }).channels)).toHaveLength(HOSTILE.length + 2);
    // The parser does look.
    expect(await complaintsAbout({ ...document, servers: { here: {} } })).not.toEqual([]);
  });

  it("[DOC-5] also with hundreds of types, and with none", async () => {
    const types = Array.from({ length: 300 }, (_, index) =>
      typeOf(`type.${index}`, { type: "object", properties: { a: { type: "string" } } }, [{ a: "x" }]),
    );
    const all = topicOf(
      "all",
      types.map(({ type }) => type),
    );
    expect(await complaintsAbout(documentOf([all], types))).toEqual([]);
    expect(await complaintsAbout(documentOf([], []))).toEqual([]);
  });

  it("[DOC-5] has each type's newest version with the numbers of all, and its examples as whole events", () => {
    const document = documentOf(
      [topicOf("orders", ["order.created"])],
      [typeOf("order.created", NASTY, [{ whole: 1 }])],
    );
    const { components } = document as { components: { messages: Record<string, object> } };
    expect(components.messages["order.created"]).toMatchObject({
      name: "order.created",
      title: "Nasty",
      "x-version": 2,
      "x-versions": [1, 2],
      "x-owner": "sales",
      payload: { properties: { data: { $ref: "#/components/schemas/order.created" } } },
      examples: [{ payload: { specversion: "1.0", type: "order.created", data: { whole: 1 } } }],
    });
  });
});

describe("a schema in AsyncAPI's dialect", () => {
  it("[DOC-5] has its references written out, and lists as draft 7 has them", () => {
    expect(plainSchema(NASTY)).toMatchObject({
      properties: {
        whole: { description: "A whole number", allOf: [{ type: "integer", minimum: 1 }] },
        list: { items: [{ type: "string" }], additionalItems: false },
      },
      dependencies: { whole: { required: ["list"] } },
    });
  });

  it("[DOC-5] is anything where it would be too long", () => {
    const long = {
      $defs: { a: { description: "x".repeat(60_000) } },
      allOf: Array.from({ length: 99 }, () => ({ $ref: "#/$defs/a" })),
    };
    expect(plainSchema(long)).toBe(true);
  });
});
