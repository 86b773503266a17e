/** The header of a token: which key its signature is to be checked with, and nothing more. */
import { isApiKeyId } from "../../core/api-key-text.ts";
import { parseJson } from "../../core/json-text.ts";
import { ROOT_TOKEN_KEY } from "../../core/principal.ts";
import { decodeUtf8 } from "../../core/utf8.ts";

const COMPACT = /^([\w-]+)\.[\w-]+\.[\w-]+$/;
const HEADER_LIMITS = { depthMax: 1, keysMax: 3 };

/**
 * The `kid`; null for whatever is not one JWS in compact form (RFC 7515, §7.1) with `alg`, `kid` and perhaps `typ`. A
 * list of what is allowed leaves out all that attacks are made of: keys and addresses in the header, `crit`, `b64`,
 * nesting, encryption. The `alg` is not even read: the key says how its tokens are signed. A `kid` that no key can have
 * is looked up nowhere.
 */
export function tokenKeyIdOf(token: string): string | null {
  const [, encoded] = COMPACT.exec(token) ?? [];
  const bytes = encoded === undefined ? null : decodeBase64Url(encoded);
  const text = bytes === null ? null : decodeUtf8(bytes);
  const parsed = text === null ? null : parseJson(text, HEADER_LIMITS);
  if (parsed === null || !parsed.ok || !isObject(parsed.value.value)) return null;
  const { alg: _alg, kid, typ = "JWT", ...others } = parsed.value.value;
  const isPlain = Object.keys(others).length === 0 && typeof typ === "string" && typ.toUpperCase() === "JWT";
  return isPlain && typeof kid === "string" && (kid === ROOT_TOKEN_KEY || isApiKeyId(kid)) ? kid : null;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** `COMPACT` has left out padding and every other alphabet. */
function decodeBase64Url(text: string): Uint8Array | null {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  } catch {
    return null;
  }
}
