/**
 * The `target` of a subscription. An address only has to be one here; whether this hub may call it depends on its
 * configuration, and is decided behind this door and again before every attempt.
 */
import { escapePointer } from "../../core/json-pointer.ts";
import { isObjectText, members, stringOf } from "../../core/json-text.ts";
import { isSubscriptionName } from "../../core/names.ts";
import { checkTargetAddress } from "../../core/target-address.ts";
import { decodeWebhookSecret } from "../../core/webhook-signature.ts";
import type { DefinitionReader, Members } from "./definition-reader.ts";

export type TargetRequest =
  | {
      readonly kind: "webhook";
      readonly url: string;
      readonly headers: Readonly<Record<string, string>>;
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
  const address = checkTargetAddress(url, true);
  if (!address.ok) reader.refuse("/target/url", address.failure.detail ?? "This is not an address.");
  const headers = readHeaders(reader, given.get("headers"));
  return { kind: "webhook", url, headers, secret: readSecret(reader, given.get("secret")) };
}

const HEADER_NAME = /^[A-Za-z][A-Za-z0-9-]{0,63}$/;
const HEADER_VALUE = /^[\x20-\x7e]{0,1024}$/;

// The connection's own, what the hub writes itself, and what would let a webhook speak in somebody's name.
const FORBIDDEN_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "cookie",
  "expect",
  "host",
  "keep-alive",
  "te",
  "traceparent",
  "tracestate",
  "trailer",
  "transfer-encoding",
  "upgrade",
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
  return Object.fromEntries(
    [...given].map(([name, value]) => {
      const text = stringOf(value);
      if (text !== null && HEADER_VALUE.test(text)) return [name, text];
      reader.refuse(`/target/headers/${escapePointer(name)}`, "A header is at most 1,024 printable ASCII characters.");
      return [name, ""];
    }),
  );
}

function readSecret(reader: DefinitionReader, raw: string | undefined): string | null {
  if (raw === undefined) return null;
  const secret = stringOf(raw) ?? "";
  if (decodeWebhookSecret(secret) !== null) return secret;
  reader.refuse("/target/secret", "A secret is whsec_ and the base64 of 24 to 64 bytes.");
  return null;
}
