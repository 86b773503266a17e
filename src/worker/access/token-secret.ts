/** What a new key keeps for checking its tokens. The other half, reading and signing, stands in token-keys.ts. */
import { randomBytes } from "node:crypto";
import type { Config } from "../../config.ts";
import { keyringOf, sealSecret } from "../../sealing.ts";
import type { KeyRecord } from "../../store/api-keys-store.ts";
import type { TokenSigning } from "../../wire/native/key-definition.ts";

const SECRET_BYTES = 32;

export interface MintedTokenKey extends Pick<KeyRecord, "tokenAlgorithm" | "tokenKey"> {
  /** Shown once, in base64url; null: nobody asked for it, or it is not ours. */
  readonly shown: string | null;
}

export async function mintTokenKey(config: Config, keyId: string, signing: TokenSigning): Promise<MintedTokenKey> {
  if (signing.algorithm === "EdDSA") return { tokenAlgorithm: "EdDSA", tokenKey: signing.publicKey, shown: null };
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  const tokenKey = await sealSecret(keyringOf(config), `token:${keyId}`, secret);
  return { tokenAlgorithm: "HS256", tokenKey, shown: signing.isShown ? secret : null };
}
