/**
 * An event in HTTP's own form, on its way out: its attributes are headers `ce-…`, its data is the body (HTTP protocol
 * binding 1.0, §3.1). The other direction is binary.ts.
 */
import { isJsonMediaType } from "../../core/event-attributes.ts";
import { members, stringOf, type JsonMember } from "../../core/json-text.ts";

export interface BinaryEvent {
  readonly headers: Readonly<Record<string, string>>;
  /** Null: the event has no data. */
  readonly body: string | Uint8Array | null;
}

/** `line`: the event as a log keeps it. JSON data stays the text that it is. */
export function formatBinary(line: string): BinaryEvent {
  const found = members(line);
  const contentType = textOf(found, "datacontenttype");
  const attributes = found.filter(({ name }) => !BODY_MEMBERS.has(name));
  const headers = attributes.map(({ name, raw }) => [`ce-${name}`, encodeHeader(stringOf(raw) ?? raw)] as const);
  const body = bodyOf(found, contentType);
  // Without a type JSON is assumed in the structured form, where it need not be said.
  const type = contentType ?? (body === null || body instanceof Uint8Array ? null : "application/json");
  return { headers: { ...Object.fromEntries(headers), ...(type !== null && { "content-type": type }) }, body };
}

const BODY_MEMBERS: ReadonlySet<string> = new Set(["data", "data_base64", "datacontenttype"]);

const textOf = (found: readonly JsonMember[], name: string): string | null =>
  stringOf(found.find((member) => member.name === name)?.raw ?? "");

function bodyOf(found: readonly JsonMember[], contentType: string | null): string | Uint8Array | null {
  const base64 = textOf(found, "data_base64");
  if (base64 !== null) return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const data = found.find(({ name }) => name === "data");
  if (data === undefined) return null;
  const isJson = contentType === null || isJsonMediaType(contentType);
  return isJson ? data.raw : (stringOf(data.raw) ?? data.raw);
}

/** Space, quote, percent and what is not printable ASCII are percent-encoded as UTF-8, in upper case (§3.1.3.2). */
const encodeHeader = (value: string): string =>
  value.replaceAll(/[^\x21\x23\x24\x26-\x7e]+/gu, (chars) =>
    [...new TextEncoder().encode(chars)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
  );
