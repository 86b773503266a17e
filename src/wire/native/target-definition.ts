/** The `target` of a subscription. Whether an address may be called at all is decided where it is called. */
import { isBase64 } from "../../core/event-attributes.ts";
import { escapePointer } from "../../core/json-pointer.ts";
import { isObjectText, members, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { isSubscriptionName } from "../../core/names.ts";
import type { DefinitionReader, Members } from "./definition-reader.ts";

export type TargetRequest =
  | {
      readonly kind: "webhook"; readonly url: string; readonly headers: Readonly<Record<string, string>>;
      /** `whsec_…`; null lets the hub mint one. */
      readonly secret: string | null;
    }
  | { readonly kind: "listener"; readonly name: string };

const MEMBERS_BY_KIND = {
  webhook: ["kind", "url", "headers", "secret"],
  listener: ["kind", "name"],
} as const;

const LATER_KINDS: readonly string[] = ["worker", "pull", "topic", "transport"];
const HEADERS_MAX = 32;

/** Null when the reader has refused it. */
export function readTarget(reader: DefinitionReader, raw: string | undefined): TargetRequest | null {
  if (raw === undefined) {
    reader.refuse("/target", "A subscription has a target.");
    return null;
  }
  const given = isObjectText(raw) ? members(raw).find((member) => member.name === "kind") : undefined;
  if (given === undefined) reader.refuse("/target/kind", "A target says of which kind it is.");
  const kind = reader.choice(given?.raw, "/target/kind", ["webhook", "listener"], LATER_KINDS);
  if (kind === null) return null;
  const target = reader.object(raw, "/target", MEMBERS_BY_KIND[kind]);
  return kind === "webhook" ? readWebhook(reader, target) : readListener(reader, target);
}

function readListener(reader: DefinitionReader, given: Members): TargetRequest {
  const name = stringOf(given.get("name") ?? "") ?? "";
  if (!isSubscriptionName(name)) reader.refuse("/target/name", "A listener has a name like a subscription's.");
  return { kind: "listener", name };
}

function readWebhook(reader: DefinitionReader, given: Members): TargetRequest {
  const url = stringOf(given.get("url") ?? "") ?? "";
  const problem = urlProblem(url);
  if (problem !== null) reader.refuse("/target/url", problem);
  const headers = readHeaders(reader, given.get("headers"));
  return { kind: "webhook", url, headers, secret: readSecret(reader, given.get("secret")) };
}

function urlProblem(text: string): string | null {
  if (text.length > LIMITS.URL_CHARS_MAX) return `A URL has at most ${LIMITS.URL_CHARS_MAX} characters.`;
  const url = URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text)) return "A webhook has an http or https URL.";
  if (url.username !== "" || url.password !== "") return "Credentials do not belong in a URL.";
  return text.includes("#") ? "The URL of a webhook has no fragment." : null;
}

const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
const HEADER_VALUE = /^[\x20-\x7e]{0,1024}$/;

// The connection's own, what the hub writes itself, and what would let a webhook speak in somebody's name.
const FORBIDDEN_HEADERS: ReadonlySet<string> = new Set([
  "authorization", "connection", "content-encoding", "content-length", "content-type", "cookie", "expect", "host",
  "keep-alive", "te", "traceparent", "tracestate", "trailer", "transfer-encoding", "upgrade",
]);
const FORBIDDEN_HEADER_PREFIX = /^(webhook|cf|x-forwarded|hub|tidings|proxy|sec)-/;

function readHeaders(reader: DefinitionReader, raw: string | undefined): Readonly<Record<string, string>> {
  if (raw === undefined) return {};
  const folded = new Set<string>();
  const given = reader.openObject(raw, "/target/headers", (name, pointer) => {
    const lower = name.toLowerCase();
    const isAllowed = HEADER_NAME.test(name) && !FORBIDDEN_HEADERS.has(lower) && !FORBIDDEN_HEADER_PREFIX.test(lower);
    if (!isAllowed) reader.refuse(pointer, "A webhook cannot set a header of that name.");
    else if (folded.has(lower)) reader.refuse(pointer, "This header stands twice.");
    folded.add(lower);
  });
  if (given.size > HEADERS_MAX) reader.refuse("/target/headers", `There are at most ${HEADERS_MAX} headers.`);
  return Object.fromEntries([...given].map(([name, value]) => {
    const text = stringOf(value);
    if (text !== null && HEADER_VALUE.test(text)) return [name, text];
    reader.refuse(`/target/headers/${escapePointer(name)}`, "A header is at most 1,024 printable ASCII characters.");
    return [name, ""];
  }));
}

// Standard Webhooks, "Signature scheme": 24 to 64 bytes, which are 32 to 88 characters of base64.
const SECRET = /^whsec_([A-Za-z0-9+/=]{32,88})$/;
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;

function readSecret(reader: DefinitionReader, raw: string | undefined): string | null {
  if (raw === undefined) return null;
  const secret = stringOf(raw) ?? "";
  const encoded = SECRET.exec(secret)?.[1] ?? "";
  const bytes = encoded.replace(/=+$/, "").length * 0.75;
  if (encoded !== "" && isBase64(encoded) && bytes >= SECRET_BYTES_MIN && bytes < SECRET_BYTES_MAX + 1) return secret;
  reader.refuse("/target/secret", "A secret is whsec_ and the base64 of 24 to 64 bytes.");
  return null;
}
