/**
 * Goal: keep the shape of the code true by test rather than by review.
 * Method: read every source file once; each rule is a pure function from a file to its complaints.
 * The tests below plant one offence per rule, so that a rule which sees nothing cannot pass.
 */
import { readFileSync, readdirSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";

const ROOT = join(import.meta.dirname, "..");

/** Who may import whom. A target not covered on the right is forbidden. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: ["core"],
  "wire/native": ["wire/native", "core"],
  "wire/cloudevents": ["wire/cloudevents", "core"],
  "wire/ndjson": ["wire/ndjson", "core"],
  "wire/sse": ["wire/sse", "core"],
  "wire/pusher": ["wire/pusher", "core"],
  "wire/asyncapi": ["wire/asyncapi", "core"],
  "wire/openapi": ["wire/openapi", "core"],
  "wire/otlp": ["wire/otlp", "core"],
  "wire/prometheus": ["wire/prometheus", "core"],
  store: ["store", "core", "env"],
  // Each object's folder sees itself, what objects share, and the others' RPC types only.
  "durable-objects/rpc": ["durable-objects/rpc", "core"],
  "durable-objects/object-migrations": ["core"],
  "durable-objects/meta-store": [],
  "durable-objects/announcement-store": ["core"],
  "durable-objects/announcer": ["durable-objects/announcement-store", "durable-objects/rpc", "observability"],
  "durable-objects/counted-sql": ["observability"],
  "durable-objects/metric-tally": ["durable-objects/metric-tally", ...forObjects()],
  "durable-objects/batch": ["durable-objects/batch", ...forObjects()],
  "durable-objects/topic-log": ["durable-objects/topic-log", ...forObjects()],
  "durable-objects/channel-hub": ["durable-objects/channel-hub", "wire/native", "wire/pusher", ...forObjects()],
  "durable-objects/endpoint-health": ["durable-objects/endpoint-health", ...forObjects()],
  "durable-objects/presence-room": ["durable-objects/presence-room", ...forObjects()],
  "durable-objects/quota-meter": ["durable-objects/quota-meter", ...forObjects()],
  "durable-objects/schedules": ["durable-objects/schedules", ...forObjects()],
  "durable-objects/subscription": ["durable-objects/subscription", "queues/messages", ...forObjects()],
  delivery: [
    "delivery",
    "client/command-handler",
    "core",
    "wire",
    "store",
    "env",
    "config",
    "sealing",
    "pusher-secrets",
    "stubs",
    "durable-objects/rpc",
    "observability",
  ],
  listeners: ["listeners", "core", "store", "delivery/define-listener", "client/command-handler"],
  queues: [
    "queues",
    "delivery",
    "core",
    "wire",
    "store",
    "env",
    "config",
    "stubs",
    "durable-objects/rpc",
    "observability",
  ],
  worker: [
    "worker",
    "delivery",
    "core",
    "wire",
    "store",
    "env",
    "config",
    "sealing",
    "pusher-secrets",
    "stubs",
    "durable-objects/rpc",
    "queues/messages",
    "observability",
  ],
  client: ["client", "core", "wire/native"],
  // The hub of users' tests: the client, and the codecs that the hub reads it with.
  testing: ["testing", "client", "core", "wire/native"],
  observability: ["observability", "core", "env", "stubs"],
  stubs: ["env", "core", "durable-objects/rpc", "durable-objects/endpoint-health/facade"],
  config: ["core", "env"],
  sealing: ["core", "config"],
  "pusher-secrets": ["config", "env", "sealing"],
  env: ["durable-objects/rpc", "queues/messages"],
  index: [
    "worker",
    "durable-objects",
    "queues",
    "delivery/listener-registry",
    "delivery/publisher",
    "listeners/index.generated",
    "env",
  ],
};

function forObjects(): string[] {
  return [
    "durable-objects/rpc",
    "durable-objects/object-migrations",
    "durable-objects/meta-store",
    "durable-objects/counted-sql",
    "durable-objects/announcement-store",
    "durable-objects/announcer",
    "core",
    "env",
    "config",
    "stubs",
    "observability",
  ];
}

/** Packages and built-in modules that a room may name; what is not listed may name none. */
const MAY_USE: Record<string, readonly string[]> = {
  "durable-objects": ["cloudflare:workers"],
  "durable-objects/endpoint-health": ["itty-durable/itty-durable.js"],
  "durable-objects/schedules": ["cloudflare:workers", "croner"],
  worker: ["@cfworker/json-schema", "hono", "hono/factory", "jose", "node:crypto", "cloudflare:workers"],
  delivery: ["node:crypto"],
  "pusher-secrets": ["node:crypto"],
  "client/consumer": ["cloudflare:workers"],
  "client/react": ["react"],
};

const LINES_MAX = 400;
const DOOR_LINES_MAX = 200;
const LINE_CHARS_MAX = 120;
const BANNED_NAMES = /(^|[/-])(utils?|helpers?|managers?|services?|process|info)(\.|-|\/)/;

interface SourceFile {
  readonly path: string;
  readonly text: string;
}
type Rule = (file: SourceFile, all: readonly SourceFile[]) => string[];

const stem = (path: string): string => path.replace(/\.ts$/, "");
const IMPORTS = /^(?:(?:import|export)\b[^"';]*\bfrom\s*|import\s*)["']([^"']+)["']|\bimport\(["']([^"']+)["']/gm;
const importsOf = ({ text }: SourceFile): string[] =>
  [...text.matchAll(IMPORTS)].map((match) => (match[1] ?? match[2])!);
const targetsOf = (file: SourceFile): string[] =>
  importsOf(file)
    .filter((spec) => spec.startsWith("."))
    .map((spec) => stem(posix.normalize(posix.join(posix.dirname(file.path), spec))));
const lies = (target: string, place: string): boolean => target === place || target.startsWith(`${place}/`);
const longestMatch = (table: Record<string, unknown>, path: string): string | undefined =>
  Object.keys(table)
    .filter((room) => lies(stem(path), room))
    .toSorted((left, right) => right.length - left.length)[0];

const RULES: Record<string, Rule> = {
  "imports follow the table": (file) => {
    const room = longestMatch(MAY_IMPORT, file.path);
    if (room === undefined) return [`${file.path} is in no room of MAY_IMPORT`];
    return targetsOf(file)
      .filter((target) => !MAY_IMPORT[room]!.some((allowed) => lies(target, allowed)))
      .map((target) => `${file.path} imports ${target}`);
  },
  "packages follow the table": (file) => {
    const allowed = MAY_USE[longestMatch(MAY_USE, file.path) ?? ""] ?? [];
    return importsOf(file)
      .filter((spec) => !spec.startsWith(".") && !allowed.includes(spec))
      .map((spec) => `${file.path} uses ${spec}`);
  },
  "no import cycles": (file, all) => {
    const byStem = new Map(all.map((other) => [stem(other.path), other]));
    const seen = new Set<string>();
    const stack = targetsOf(file);
    while (stack.length > 0) {
      const target = stack.pop()!;
      if (target === stem(file.path)) return [`${file.path} is in an import cycle`];
      if (seen.has(target)) continue;
      seen.add(target);
      const next = byStem.get(target);
      if (next) stack.push(...targetsOf(next));
    }
    return [];
  },
  "core and wire are pure": (file) => {
    if (!/^(core|wire)\//.test(file.path)) return [];
    const ambient =
      file.text.match(/\b(Date\.now|new Date\(\)|Math\.random|crypto\.\w+|setTimeout|fetch\(|console\.)/g) ?? [];
    return ambient.map((found) => `${file.path} uses ${found}`);
  },
  "SQL lives in stores": ({ path, text }) =>
    /["'`]\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA)\s(?!\/)/.test(text) && !/-(store|migrations)\.ts$/.test(path)
      ? [`${path} holds SQL`]
      : [],
  "objects are named in one file": ({ path, text }) =>
    /\.(idFromName|getByName)\(/.test(text) && path !== "stubs.ts" ? [`${path} names an object`] : [],
  "the client takes nothing but types": ({ path, text }) =>
    path.startsWith("client/") && /^(?:import|export) (?!type\b)[^"';]*from "\.\.\//m.test(text)
      ? [`${path} imports more than types`]
      : [],
  "files stay short": ({ path, text }) =>
    text.split("\n").length > LINES_MAX ? [`${path} has more than ${LINES_MAX} lines`] : [],
  "an object's class is a door": ({ path, text }) =>
    /extends DurableObject\b/.test(text) && text.split("\n").length > DOOR_LINES_MAX
      ? [`${path} has more than ${DOOR_LINES_MAX} lines`]
      : [],
  "lines stay short": ({ path, text }) =>
    text
      .split("\n")
      .flatMap((line, index) =>
        line.length > LINE_CHARS_MAX && path !== "core/errors.ts"
          ? [`${path}:${index + 1} has ${line.length} characters`]
          : [],
      ),
  "names say what": ({ path }) => (BANNED_NAMES.test(path) ? [`${path} is named for nothing`] : []),
  "nothing is left for later": ({ path, text }) =>
    /\b(TODO|FIXME|XXX)\b/.test(text) ? [`${path} leaves something for later`] : [],
};

const readTree = (folder: string): SourceFile[] =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts") && !name.endsWith(".generated.ts"))
    .map((name) => ({ path: name.replaceAll("\\", "/"), text: readFileSync(join(ROOT, folder, name), "utf8") }));

const files = readTree("src");

test.each(Object.entries(RULES))("[TIDY-1] %s", (_name, rule) => {
  expect(files.flatMap((file) => rule(file, files))).toEqual([]);
});

test.each<[string, SourceFile]>([
  ["imports follow the table", { path: "wire/sse/x.ts", text: `import { y } from "../native/frame.ts";` }],
  ["packages follow the table", { path: "core/x.ts", text: `import { Hono } from "hono";` }],
  ["no import cycles", { path: "core/x.ts", text: `import { x } from "./x.ts";` }],
  ["core and wire are pure", { path: "core/x.ts", text: `export const at = () => Date.now();` }],
  ["SQL lives in stores", { path: "worker/x.ts", text: "db.prepare(`SELECT 1`)" }],
  ["objects are named in one file", { path: "queues/x.ts", text: "env.TOPIC_LOG.idFromName(topic)" }],
  ["the client takes nothing but types", { path: "client/x.ts", text: `import { y } from "../core/x.ts";` }],
  ["files stay short", { path: "core/x.ts", text: "\n".repeat(LINES_MAX + 1) }],
  [
    "an object's class is a door",
    { path: "durable-objects/x.ts", text: `class X extends DurableObject {}${"\n".repeat(DOOR_LINES_MAX)}` },
  ],
  ["lines stay short", { path: "core/x.ts", text: "x".repeat(LINE_CHARS_MAX + 1) }],
  ["names say what", { path: "core/time-util.ts", text: "" }],
  ["nothing is left for later", { path: "core/x.ts", text: `// ${"TO"}${"DO"}: more` }],
])("[TIDY-1] «%s» sees a planted offence", (name, planted) => {
  expect(RULES[name]!(planted, [...files, planted])).toHaveLength(1);
});

test("[TIDY-2] every promise of SPEC.md is cited by a test, and every citation exists", () => {
  const declared = [...readFileSync(join(ROOT, "SPEC.md"), "utf8").matchAll(/^- \*\*([A-Z]+-\d+)\*\*/gm)].map(
    (match) => match[1]!,
  );
  const tests = readTree("test");
  const cited = new Set(
    tests.flatMap(({ text }) =>
      [...text.matchAll(/\[([A-Z]+-\d+(?:, ?[A-Z]+-\d+)*)\]/g)].flatMap((match) => match[1]!.split(/, ?/)),
    ),
  );
  expect(declared.length).toBeGreaterThan(0);
  expect(declared.length, "an id is declared twice").toBe(new Set(declared).size);
  expect({
    untested: declared.filter((id) => !cited.has(id)),
    unknown: [...cited].filter((id) => !declared.includes(id)),
  }).toEqual({ untested: [], unknown: [] });
});

test("[TIDY-3] the docs generated from the code are those in the tree", async () => {
  const { apiReference, errorsReference, limitsReference, metricsReference } =
    await import("../scripts/lib/references.ts");
  expect(readFileSync(join(ROOT, "docs/api.md"), "utf8")).toBe(apiReference());
  expect(readFileSync(join(ROOT, "docs/errors.md"), "utf8")).toBe(errorsReference());
  expect(readFileSync(join(ROOT, "docs/limits.md"), "utf8")).toBe(limitsReference());
  expect(readFileSync(join(ROOT, "docs/operations/metrics.md"), "utf8")).toBe(metricsReference());
});
