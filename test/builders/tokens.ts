/** Browser tokens as a backend signs them, with the library that most backends use, and as an attacker would. */
import { randomUUID } from "node:crypto";
import {
  CompactSign,
  exportJWK,
  generateKeyPair,
  type CompactJWSHeaderParameters,
  type CryptoKey,
  type JWK,
} from "jose";
import type { Hub } from "../harness/hub.ts";

export interface TokenSigner {
  /** The key's id. */
  readonly id: string;
  /** The key itself, for calls of the backend. */
  readonly key: string;
  readonly algorithm: "HS256" | "EdDSA";
  readonly secret: Uint8Array | CryptoKey;
  readonly publicKey: JWK | null;
}

export type Claims = Record<string, unknown>;

/** Claims that the hub accepts for `default`; what is undefined in `more` is left out. */
export function makeClaims(more: Claims = {}): Claims {
  const now = Math.floor(Date.now() / 1_000);
  const claims = {
    iss: "tidings",
    aud: "/apps/default",
    iat: now,
    exp: now + 600,
    jti: randomUUID(),
    scopes: ["publish:**"],
  };
  return { ...claims, ...more };
}

/** `claims`: an object, or the payload as it is. */
export function signToken(
  { id, algorithm, secret }: TokenSigner,
  claims: Claims | string | Uint8Array = makeClaims(),
  header: Record<string, unknown> = {},
): Promise<string> {
  const payload =
    claims instanceof Uint8Array ? claims : bytesOf(typeof claims === "string" ? claims : JSON.stringify(claims));
  const full = { alg: algorithm, kid: id, typ: "JWT", ...header } as unknown as CompactJWSHeaderParameters;
  return new CompactSign(payload).setProtectedHeader(full).sign(secret);
}

interface KeyAnswer {
  readonly id: string;
  readonly key: string;
  readonly tokenSecret: string;
}

/** A key whose owner signs its tokens with a secret that the hub has too. */
export async function makeHmacSigner(hub: Hub, scopes: readonly string[], more: object = {}): Promise<TokenSigner> {
  const tokens = { algorithm: "HS256" };
  const { body } = await hub.json<KeyAnswer>("POST", "/v1/keys", { name: "backend", scopes, tokens, ...more });
  const secret = Buffer.from(body.tokenSecret, "base64url");
  return { id: body.id, key: body.key, algorithm: "HS256", secret, publicKey: null };
}

/** A key of whose signing pair the hub has the public half. */
export async function makeEdSigner(hub: Hub, scopes: readonly string[], more: object = {}): Promise<TokenSigner> {
  const pair = await generateKeyPair("EdDSA", { extractable: true });
  const publicKey = await exportJWK(pair.publicKey);
  const tokens = { algorithm: "EdDSA", publicKey };
  const { body } = await hub.json<KeyAnswer>("POST", "/v1/keys", { name: "backend", scopes, tokens, ...more });
  return { id: body.id, key: body.key, algorithm: "EdDSA", secret: pair.privateKey, publicKey };
}

export const bearer = (credential: string): Record<string, string> => ({ authorization: `Bearer ${credential}` });

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

export const base64url = (text: string | Uint8Array): string => Buffer.from(text).toString("base64url");
