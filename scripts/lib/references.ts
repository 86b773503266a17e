/** The reference pages that are made from the code, so that they cannot differ from it. */
import { ERRORS } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";

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
