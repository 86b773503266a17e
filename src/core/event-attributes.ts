/**
 * What the attributes of an event may hold: the rules of CloudEvents 1.0 (§3.1), within our limits. Every front door's
 * codec asks here, so that an event means the same whichever way it came.
 */
import { EXPIRES } from "./expiry.ts";
import { LIMITS } from "./limits.ts";
import { parseTimestampMs } from "./timestamp.ts";
import { fitsUtf8 } from "./utf8.ts";

/** Gives what is wrong with the value, for people; null when nothing is. */
type AttributeRule = (value: string) => string | null;

const RULES: ReadonlyMap<string, AttributeRule> = new Map<string, AttributeRule>([
  ["id", (value) => sizeProblem(value, LIMITS.EVENT_ID_BYTES_MAX)],
  ["key", (value) => sizeProblem(value, LIMITS.EVENT_KEY_BYTES_MAX)],
  ["type", typeProblem],
  ["source", (value) => sizeProblem(value) ?? (isUriReference(value) ? null : "A source is a URI reference.")],
  ["subject", (value) => sizeProblem(value)],
  ["time", (value) => (parseTimestampMs(value) === null ? "A time is written as in RFC 3339." : null)],
  [EXPIRES, (value) => (parseTimestampMs(value) === null ? "An expirytime is written as in RFC 3339." : null)],
  ["dataschema", (value) => sizeProblem(value) ?? (isUri(value) ? null : "A dataschema is an absolute URI.")],
  ["datacontenttype", (value) => sizeProblem(value) ?? (MEDIA_TYPE.test(value) ? null : "That is not a media type.")],
]);

/** Checks one attribute by its name; a name without a rule of its own is an extension's. */
export function attributeProblem(name: string, value: string): string | null {
  if (holdsForbiddenChar(value)) return "Control characters and noncharacters are not allowed here.";
  const rule = RULES.get(name);
  if (rule !== undefined) return rule(value);
  return sizeProblem(value === "" ? " " : value); // Only an extension may be the empty string.
}

const EXTENSION_NAME = /^[a-z0-9]{1,64}$/;
const FORBIDDEN_NAMES: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Names that would reach into an object's prototype in a reader that copies members carelessly. */
export const isForbiddenName = (name: string): boolean => FORBIDDEN_NAMES.has(name);

export const isExtensionName = (name: string): boolean =>
  EXTENSION_NAME.test(name) && name !== "data" && !isForbiddenName(name);

/** What the hub writes beside an event. Who publishes again what it read sends them too, and they are dropped. */
const HUB_EXTENSIONS: ReadonlySet<string> = new Set([
  "topic",
  "partition",
  "offset",
  "appendedat",
  "keyversion",
  "schemaversion",
  "hubhops",
  "batchid",
  "jobindex",
  "jobrun",
  "excludes",
]);

export const isHubExtension = (name: string): boolean => HUB_EXTENSIONS.has(name);

/** Standard base64 with its padding. */
export const isBase64 = (text: string): boolean => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text);

/** `application/json`, `text/json`, `application/vnd.x+json` … with or without parameters. */
export const isJsonMediaType = (mediaType: string): boolean => /^[^;]+[/+]json\s*(;|$)/i.test(mediaType);

const MEDIA_TYPE = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+\/[!#$%&'*+.^_`|~0-9A-Za-z-]+\s*(;.*)?$/;

function typeProblem(value: string): string | null {
  if (value === "") return "A type has at least one character.";
  const fits = value.length <= LIMITS.EVENT_TYPE_CHARS_MAX || [...value].length <= LIMITS.EVENT_TYPE_CHARS_MAX;
  return fits ? null : `A type has at most ${LIMITS.EVENT_TYPE_CHARS_MAX} characters.`;
}

function sizeProblem(value: string, bytesMax: number = LIMITS.EVENT_ATTRIBUTE_BYTES_MAX): string | null {
  if (value === "") return "The empty string is not allowed here.";
  return fitsUtf8(value, bytesMax) ? null : `This is longer than ${bytesMax} bytes in UTF-8.`;
}

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;
const FORBIDDEN_CHAR = /[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u;

/** C0 and C1 controls, lone surrogates and noncharacters: CloudEvents 1.0, §2.1, "String". */
const holdsForbiddenChar = (value: string): boolean => !PRINTABLE_ASCII.test(value) && FORBIDDEN_CHAR.test(value);

// RFC 3986, appendix A. Each alternative begins with characters of its own, so no input makes these go back and forth.
const PCHAR = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})";
const AUTHORITY =
  "(?:(?:[A-Za-z0-9\\-._~!$&'()*+,;=:]|%[0-9A-Fa-f]{2})*@)?" +
  "(?:\\[(?<ip>[0-9A-Fa-f:.]+)\\]|(?:[A-Za-z0-9\\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*)(?::[0-9]*)?";
const TAIL = `(?:\\?(?:${PCHAR}|[/?])*)?(?:#(?:${PCHAR}|[/?])*)?`;
const ABSOLUTE_PATH = `/(?:${PCHAR}+(?:/${PCHAR}*)*)?`;
const FIRST_SEGMENT_WITHOUT_COLON = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=@]|%[0-9A-Fa-f]{2})+";
const NETWORK_PATH = `//${AUTHORITY}(?:/${PCHAR}*)*`;
const ROOTLESS_PATH = `${PCHAR}+(?:/${PCHAR}*)*`;
const RELATIVE_PATH = `${FIRST_SEGMENT_WITHOUT_COLON}(?:/${PCHAR}*)*`;
const URI = new RegExp(`^[A-Za-z][A-Za-z0-9+.-]*:(?:${NETWORK_PATH}|${ABSOLUTE_PATH}|${ROOTLESS_PATH})${TAIL}$`);
const RELATIVE = new RegExp(`^(?:${NETWORK_PATH}|${ABSOLUTE_PATH}|${RELATIVE_PATH})?${TAIL}$`);

/** An absolute URI: a scheme and what is behind it (RFC 3986, §3). */
export const isUri = (text: string): boolean => matchesUri(URI, text);

/** A URI or a relative reference (RFC 3986, §4.1). */
export const isUriReference = (text: string): boolean => matchesUri(RELATIVE, text) || matchesUri(URI, text);

function matchesUri(grammar: RegExp, text: string): boolean {
  const match = grammar.exec(text);
  if (match === null) return false;
  const ip = match.groups?.["ip"];
  return ip === undefined || URL.canParse(`http://[${ip}]/`);
}
