/** The reference pages that are made from the code, so that they cannot differ from it. */
import { ERRORS } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { METRICS } from "../../src/core/metrics.ts";
import type { RouteDescription } from "../../src/wire/openapi/route-description.ts";
import { ROUTE_GROUPS } from "../../src/worker/descriptions/route-groups.ts";

const table = (header: readonly string[], rows: readonly (readonly (string | number)[])[]): string =>
  [header, header.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");

export function errorsReference(): string {
  const rows = Object.entries(ERRORS).map(([code, { status, close, retryable, effect, says }]) => [
    `\`${code}\``,
    status,
    close,
    retryable ? "yes" : "no",
    effect,
    says,
  ]);
  return `# Errors

Made from \`src/core/errors.ts\` by \`npm run docs\`; do not edit.

Every refusal is a problem (RFC 9457, \`application/problem+json\`) whose \`code\` is one of these. The same table gives
the close code when an error ends a WebSocket: 4000–4499 say "connect again", 4500–4999 say "do not". *Repeat* tells
whether the very same request may be sent again; *effect* whether something may have happened: after \`unknown\`, look,
or send again with the same \`Idempotency-Key\` or the same event ids.

${table(["code", "status", "close", "repeat", "effect", "meaning"], rows)}
`;
}

export function limitsReference(): string {
  return `# Limits

Made from \`src/core/limits.ts\` by \`npm run docs\`; do not edit. A running hub serves the same table at \`GET /v1/limits\`. The
unit stands at the end of each name; where a limit is passed, the refusal names it with \`limit\` and \`actual\`.

${table(
  ["limit", "value"],
  Object.entries(LIMITS).map(([name, value]) => [`\`${name}\``, value]),
)}
`;
}

export function apiReference(): string {
  const groups = ROUTE_GROUPS.map(
    ({ name, says, routes }) => `## ${name}\n\n${says}\n\n${routes.map(route).join("\n\n")}`,
  );
  return `# Addresses

Made from \`src/worker/descriptions\` by \`npm run docs\`; do not edit. A running hub serves the same with every body as
OpenAPI 3.1 at \`GET /v1/openapi.json\`, and what goes over its sockets as AsyncAPI 3 at \`GET /v1/asyncapi.json\`.
*Refusals* are those of the address itself; [errors.md](errors.md) has these and those that any address may answer.

${groups.join("\n\n")}
`;
}

function route({
  route: at,
  summary,
  details,
  scope,
  query = {},
  body = {},
  answers,
  problems,
}: RouteDescription): string {
  const facts = [
    ["Allowed by", scope],
    ["Parameters", code(Object.keys(query))],
    ["Takes", code(Object.keys(body))],
    ["Answers", answers.map(({ status, says }) => `${status} ${says}`).join(" ")],
    ["Refusals", code(problems)],
  ];
  const lines = facts.filter(([, says]) => says !== "").map(([what, says]) => `- ${what}: ${says}`);
  const more = details === undefined ? "" : `${details}\n\n`;
  return `### ${at.replaceAll(/:(\w+)/g, "{$1}")}\n\n${summary}.\n\n${more}${lines.join("\n")}`;
}

const code = (words: readonly string[]): string => words.map((word) => `\`${word}\``).join(" ");

export function metricsReference(): string {
  const rows = Object.entries(METRICS).map(([name, { type, labels, help, from }]) => [
    `\`${name}\``,
    type,
    labels.map((label) => `\`${label}\``).join(" "),
    from,
    help,
  ]);
  return `# Metrics

Made from \`src/core/metrics.ts\` by \`npm run docs\`; do not edit.

\`GET /metrics\` answers them in Prometheus' text format: to the root key those of all apps and of the hub as a whole, to an app's
admin (or with \`Tidings-App\`) those of that app. *Counted* where it happens and kept; an isolate that ends takes the counts of its
last seconds with it. *Told* by the objects when they are asked, so a scrape wakes them: every 15 seconds or slower is meant. A
scrape is answered again for some seconds, unless it comes with \`Cache-Control: no-cache\`.

${table(["metric", "type", "labels", "from", "meaning"], rows)}
`;
}
