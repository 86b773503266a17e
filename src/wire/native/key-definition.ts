/** `POST /v1/keys`, `POST /v1/keys/{id}/rotate`, and what GET answers: never a secret, never a hash. */
import { stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { KEY_QUOTAS, type Quotas } from "../../core/quotas.ts";
import { pusherAppId } from "../../core/pusher-app.ts";
import type { Result } from "../../core/result.ts";
import { formatScope, type Scope } from "../../core/scope.ts";
import { parseTimestampMs } from "../../core/timestamp.ts";
import { DefinitionReader, parseDefinition, type Members } from "./definition-reader.ts";
import { readQuotas } from "./quota-set.ts";
import { readScopes } from "./scope-list.ts";

export interface KeyRequest {
  readonly name: string;
  /** The app's name; null: the one of the credential. */
  readonly app: string | null;
  readonly scopes: readonly Scope[];
  /** Milliseconds; null: never. */
  readonly expiresAt: number | null;
  readonly quotas: Quotas;
  readonly tokens: TokenSigning;
  /** Whether Pusher's clients and server libraries may use it. */
  readonly isForPusher: boolean;
}

/** How tokens of the key are signed. */
export type TokenSigning =
  /** By the hub, with a secret that it mints; `isShown`: the owner gets it too and may sign as well. */
  | { readonly algorithm: "HS256"; readonly isShown: boolean }
  /** By the owner alone; the public JWK (RFC 8037) as JSON, its necessary members only. */
  | { readonly algorithm: "EdDSA"; readonly publicKey: string };

const MEMBERS = ["name", "app", "scopes", "expiresAt", "quotas", "tokens", "pusher"];

/** `now` in milliseconds: a key does not begin expired. */
export function parseKeyRequest(text: string, now: number): Result<KeyRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", MEMBERS);
  const request = {
    name: readName(reader, given),
    app: reader.text(given.get("app"), "/app", LIMITS.APP_NAME_CHARS_MAX),
    scopes: readScopes(reader, given.get("scopes"), "/scopes"),
    expiresAt: readExpiry(reader, given, now),
    quotas: readQuotas(reader, given.get("quotas"), "/quotas", KEY_QUOTAS),
    tokens: readTokens(reader, given.get("tokens")),
    isForPusher: reader.boolean(given.get("pusher"), "/pusher") ?? false,
  };
  return reader.finish("key_invalid", () => request);
}

const PRINTABLE = /^\P{Cc}+$/u;

function readName(reader: DefinitionReader, given: Members): string {
  const name = stringOf(given.get("name") ?? "") ?? "";
  const fits = name.length <= LIMITS.KEY_NAME_CHARS_MAX && PRINTABLE.test(name);
  if (!fits)
    reader.refuse("/name", `A name is 1 to ${LIMITS.KEY_NAME_CHARS_MAX} characters, and no control character.`);
  return name;
}

function readExpiry(reader: DefinitionReader, given: Members, now: number): number | null {
  const raw = given.get("expiresAt");
  if (raw === undefined) return null;
  const at = parseTimestampMs(stringOf(raw) ?? "");
  if (at === null || at <= now) reader.refuse("/expiresAt", "This is a time of RFC 3339 that is still to come.");
  return at;
}

const MEMBERS_BY_ALGORITHM = { HS256: ["algorithm"], EdDSA: ["algorithm", "publicKey"] } as const;

function readTokens(reader: DefinitionReader, raw: string | undefined): TokenSigning {
  if (raw === undefined) return { algorithm: "HS256", isShown: false };
  const given = reader.openObject(raw, "/tokens", () => {});
  if (!given.has("algorithm")) reader.refuse("/tokens/algorithm", "Tokens are signed with HS256 or EdDSA.");
  const algorithm = reader.choice(given.get("algorithm"), "/tokens/algorithm", ["HS256", "EdDSA"], []);
  if (algorithm === null) return { algorithm: "HS256", isShown: false };
  const known = reader.object(raw, "/tokens", MEMBERS_BY_ALGORITHM[algorithm]);
  if (algorithm === "HS256") return { algorithm, isShown: true };
  return { algorithm, publicKey: readPublicKey(reader, known.get("publicKey")) };
}

const POINT = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/; // 32 bytes in base64url, its last two bits zero

/** A private key is refused: it has been shown to somebody whom it was not meant for. */
function readPublicKey(reader: DefinitionReader, raw: string | undefined): string {
  const at = "/tokens/publicKey";
  const given = reader.openObject(raw ?? "", at, (name, pointer) => {
    if (name === "d") reader.refuse(pointer, "This is the private half: keep it, and make a new pair.");
  });
  const [kty, crv, x] = ["kty", "crv", "x"].map((name) => stringOf(given.get(name) ?? "") ?? "");
  const isEd25519 = kty === "OKP" && crv === "Ed25519" && POINT.test(x!);
  if (!isEd25519) reader.refuse(at, "This is a public JWK of Ed25519: kty, crv and x.");
  return JSON.stringify({ kty, crv, x });
}

/** For how long the secret before is good as well, in milliseconds. */
export function parseRotation(text: string): Result<number> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["overlap"]);
  const overlapMs = reader.durationMs(given.get("overlap"), "/overlap", { min: 0, max: LIMITS.KEY_OVERLAP_MS_MAX });
  return reader.finish("key_invalid", () => overlapMs ?? LIMITS.KEY_OVERLAP_MS_DEFAULT);
}

export interface KeyFacts {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly quotas: Quotas;
  readonly tokenAlgorithm: TokenSigning["algorithm"];
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly previousUntil: number | null;
  /** Null: it is not for Pusher's libraries. */
  readonly pusherSecret: string | null;
  readonly app: { readonly id: string };
}

export interface KeyView {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly string[];
  readonly quotas: Quotas;
  readonly tokens: { readonly algorithm: TokenSigning["algorithm"] };
  readonly createdAt: string;
  readonly expiresAt: string | null;
  /** Until when the secret before the last rotation is good, or was. */
  readonly previousUntil: string | null;
  /** What Pusher's clients and server libraries ask for, but for the secret; absent: it is not for them. */
  readonly pusher?: { readonly appId: string; readonly key: string };
}

/** What a key is, without when it was used: that changes without anybody changing it. */
export const formatKeyFacts = (key: KeyFacts): KeyView => ({
  id: key.id,
  name: key.name,
  scopes: key.scopes.map(formatScope),
  quotas: key.quotas,
  tokens: { algorithm: key.tokenAlgorithm },
  createdAt: new Date(key.createdAt).toISOString(),
  expiresAt: formatTime(key.expiresAt),
  previousUntil: formatTime(key.previousUntil),
  ...(key.pusherSecret !== null && { pusher: { appId: pusherAppId({ app: key.app.id }), key: key.id } }),
});

export const formatKey = (key: KeyFacts & { readonly lastUsedAt: number | null }): object => ({
  ...formatKeyFacts(key),
  lastUsedAt: formatTime(key.lastUsedAt),
});

const formatTime = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
