/** `POST /v1/revocations`: one user, one token or one key. */
import { parseJson } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import type { Revocation } from "../../core/revocation.ts";
import { utf8Length } from "../../core/utf8.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";

export interface RevocationRequest {
  readonly kind: "user" | "token" | "key";
  readonly subject: string;
}

const KINDS = ["user", "token", "key"] as const;

export function parseRevocationRequest(text: string): Result<RevocationRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", KINDS);
  const named = KINDS.filter((kind) => given.has(kind));
  if (named.length !== 1) reader.refuse("", "Name one user, one token or one key.");
  const kind = named[0] ?? "user";
  const subject = reader.text(given.get(kind), `/${kind}`, LIMITS.CREDENTIAL_CHARS_MAX) ?? "";
  const id = kind === "token" ? tokenIdOf(subject) : subject;
  if (named.length === 1 && (id === "" || utf8Length(id) > SUBJECT_BYTES_MAX))
    reader.refuse(`/${kind}`, `This is an id of 1 to ${SUBJECT_BYTES_MAX} bytes.`);
  return reader.finish("revocation_invalid", () => ({ kind, subject: id }));
}

const SUBJECT_BYTES_MAX = LIMITS.USER_ID_BYTES_MAX;
const COMPACT = /^[\w-]+\.([\w-]+)\.[\w-]*$/;

/**
 * A token's `jti`, from the token itself or as it is. The signature does not matter: who may revoke may name any id of
 * their app, and no other app is asked.
 */
function tokenIdOf(text: string): string {
  const [, payload] = COMPACT.exec(text) ?? [];
  const claims = payload === undefined ? null : decodeJson(payload);
  const id = claims === null ? null : (claims as { readonly jti?: unknown }).jti;
  return typeof id === "string" ? id : text;
}

function decodeJson(base64url: string): object | null {
  try {
    const bytes = atob(base64url.replaceAll("-", "+").replaceAll("_", "/")); // A jti is ASCII, so bytes are enough.
    const parsed = parseJson(bytes, { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.JSON_KEYS_MAX });
    return parsed.ok && typeof parsed.value.value === "object" ? parsed.value.value : null;
  } catch {
    return null;
  }
}

export const formatRevocation = ({ kind, subject, at }: Pick<Revocation, "kind" | "subject" | "at">): object => ({
  kind,
  subject,
  at: new Date(at).toISOString(),
});
