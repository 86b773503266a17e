/**
 * A CloudEvent in HTTP's own form: its attributes are headers `ce-…`, its data is the body (HTTP protocol binding 1.0,
 * §3.1). Pointers in a refusal are those into the same event in JSON, because headers have none.
 */
import { DraftBuilder, type DraftDefaults } from "../../core/draft-builder.ts";
import type { EventDraft } from "../../core/event.ts";
import { isJsonMediaType } from "../../core/event-attributes.ts";
import { parseJson } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";
import { decodeUtf8 } from "../../core/utf8.ts";
import { readAttribute, REQUIRED } from "./attributes.ts";

const PREFIX = "ce-";

/** `headers` are pairs of lower-case name and value, as a `Headers` gives them. */
export function parseBinary(
  headers: Iterable<readonly [string, string]>,
  body: Uint8Array,
  defaults: DraftDefaults,
): Result<EventDraft> {
  const builder = new DraftBuilder();
  let contentType: string | null = null;
  let hasVersion = false;
  for (const [name, given] of headers) {
    if (name === "content-type") contentType = given.trim();
    if (!name.startsWith(PREFIX)) continue;
    const value = decodeHeader(given);
    if (!value.ok) return value;
    hasVersion ||= name === "ce-specversion";
    if (name === "ce-datacontenttype") builder.refuse("/datacontenttype", "It is the Content-Type that says it.");
    else readAttribute(builder, name.slice(PREFIX.length), value.value, `/${name.slice(PREFIX.length)}`);
  }
  if (!hasVersion) builder.refuse("/specversion", "A CloudEvent says its specversion.");
  if (contentType !== null) builder.attribute("datacontenttype", contentType, "/datacontenttype");
  const data = readBody(builder, contentType, body);
  return data.ok ? builder.finish("", REQUIRED, defaults) : data;
}

const NOT_PERCENT_ENCODED = "A ce- header holds UTF-8, percent-encoded.";

/** Quotes, then one round of percent-encoding (§3.1.3.2); `encoding_invalid` for bytes that are not UTF-8. */
function decodeHeader(value: string): Result<string> {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1];
  const text = quoted === undefined ? value : quoted.replaceAll(/\\(.)/g, "$1");
  // The runtime puts U+FFFD where a header's bytes were not UTF-8: what the producer meant is lost.
  if (text.includes("\ufffd")) return fail("encoding_invalid", NOT_PERCENT_ENCODED);
  try {
    return ok(decodeURIComponent(text));
  } catch {
    return fail("encoding_invalid", NOT_PERCENT_ENCODED);
  }
}

function readBody(builder: DraftBuilder, contentType: string | null, body: Uint8Array): Result<null> {
  if (body.length === 0) return ok(null);
  if (contentType !== null && isJsonMediaType(contentType)) return readJsonBody(builder, body);
  const text = contentType !== null && isUtf8Text(contentType) ? decodeUtf8(body) : null;
  if (text === null) builder.dataBase64(toBase64(body), "/data_base64");
  else builder.data(JSON.stringify(text));
  return ok(null);
}

function readJsonBody(builder: DraftBuilder, body: Uint8Array): Result<null> {
  const text = decodeUtf8(body);
  if (text === null) return fail("encoding_invalid");
  const parsed = parseJson(text, { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.JSON_KEYS_MAX });
  if (!parsed.ok) return parsed;
  builder.data(parsed.value.tight);
  return ok(null);
}

const isUtf8Text = (contentType: string): boolean =>
  /^text\/[^;]+(;|$)/i.test(contentType) && /^(utf-?8|us-ascii)$/i.test(charsetOf(contentType) ?? "utf-8");

const charsetOf = (contentType: string): string | undefined => /;\s*charset="?([^";\s]*)/i.exec(contentType)?.[1];

const CHUNK_BYTES = 8_192; // Arguments of one call are limited.

function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(start, start + CHUNK_BYTES));
  }
  return btoa(binary);
}
