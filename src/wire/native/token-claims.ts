/**
 * The claims of a browser token as JSON text. The user's data stays text, so that other members of a channel see what
 * the backend wrote. Claims that the hub does not know are left alone, as RFC 7519 (§4) has it; doubled ones are not.
 */
import { formatScope } from "../../core/scope.ts";
import { stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import type { TokenClaims } from "../../core/token-claims.ts";
import { DefinitionReader, parseDefinition, type Members } from "./definition-reader.ts";
import { readScopes } from "./scope-list.ts";
import { readUser } from "./user.ts";

/** Fails with `token_invalid`: reached only behind a good signature, so it may say what is wrong. */
export function parseTokenClaims(text: string): Result<TokenClaims> {
  const raw = parseDefinition(text);
  if (!raw.ok) return { ok: false, failure: { ...raw.failure, code: "token_invalid" } };
  const reader = new DefinitionReader();
  const given = reader.openObject(raw.value, "", () => {});
  const claims = {
    issuer: readText(reader, given, "iss") ?? "",
    audience: readText(reader, given, "aud") ?? "",
    app: given.has("app") ? readText(reader, given, "app") : null,
    id: readId(reader, given),
    user: readUser(reader, { id: given.get("sub"), idAt: "/sub", data: given.get("user_data"), dataAt: "/user_data" }),
    scopes: readScopes(reader, given.get("scopes"), "/scopes"),
    issuedAt: readDateMs(reader, given, "iat"),
    notBefore: given.has("nbf") ? readDateMs(reader, given, "nbf") : null,
    expiresAt: readDateMs(reader, given, "exp"),
  };
  const admin = claims.scopes.findIndex(({ action }) => action === "admin");
  if (admin >= 0) reader.refuse(`/scopes/${admin}`, "A token cannot carry admin.");
  return reader.finish("token_invalid", () => claims);
}

function readText(reader: DefinitionReader, given: Members, name: string): string | null {
  if (!given.has(name)) reader.refuse(`/${name}`, "A token has this claim.");
  return reader.text(given.get(name), `/${name}`, LIMITS.URL_CHARS_MAX);
}

const TOKEN_ID = /^[\x21-\x7e]{1,64}$/;

function readId(reader: DefinitionReader, given: Members): string {
  const id = stringOf(given.get("jti") ?? "") ?? "";
  if (!TOKEN_ID.test(id)) reader.refuse("/jti", "A token has an id of 1 to 64 printable ASCII characters.");
  return id;
}

/** A NumericDate (RFC 7519, §2) may be fractional: a token minted right after a revocation is told from one before. */
function readDateMs(reader: DefinitionReader, given: Members, name: string): number {
  const seconds = JSON.parse(given.get(name) ?? "null") as unknown;
  if (typeof seconds === "number" && Number.isSafeInteger(Math.round(seconds * 1_000)) && seconds >= 0)
    return Math.round(seconds * 1_000);
  reader.refuse(`/${name}`, "A token has this claim: a number of seconds since 1970.");
  return 0;
}

/** As `parseTokenClaims` reads them. */
export function formatTokenClaims(claims: TokenClaims): string {
  const { issuer, audience, app, id, user, scopes, issuedAt, notBefore, expiresAt } = claims;
  const text = JSON.stringify({
    iss: issuer,
    aud: audience,
    ...(app !== null && { app }),
    jti: id,
    ...(user !== null && { sub: user.id }),
    scopes: scopes.map(formatScope),
    iat: issuedAt / 1_000,
    ...(notBefore !== null && { nbf: notBefore / 1_000 }),
    exp: expiresAt / 1_000,
  });
  const data = user?.data ?? null;
  return data === null ? text : `${text.slice(0, -1)},"user_data":${data}}`;
}
