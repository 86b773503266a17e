/** Standard Webhooks 1.0: HMAC-SHA256 with a shared secret (v1), or Ed25519 with the hub's own key (v1a). */
import { assert } from "../core/assert.ts";
import {
  decodeWebhookSecret,
  decodeWebhookSeed,
  formatWebhookSignature,
  webhookSignedContent,
} from "../core/webhook-signature.ts";

export interface SignedWebhook {
  /** The value of `webhook-signature`: one entry for each secret or private key, in their order. */
  readonly signature: string;
  /** What was signed for the body, to be sent: text is encoded only once. */
  readonly body: Uint8Array;
}

/** Throws on a secret that is neither `whsec_…` nor `whsk_…`; those are never stored. */
export async function signWebhook(
  secrets: readonly string[],
  id: string,
  timestampSeconds: number,
  body: string | Uint8Array,
): Promise<SignedWebhook> {
  const head = webhookSignedContent(id, timestampSeconds, "");
  const content = signedBytes(head, body);
  const signatures: string[] = [];
  for (const secret of secrets) {
    const { version, algorithm, key } = await keyOf(secret);
    const signed = await crypto.subtle.sign(algorithm, key, content);
    signatures.push(formatWebhookSignature(version, new Uint8Array(signed)));
  }
  return { signature: signatures.join(" "), body: content.subarray(head.length) }; // The head is all ASCII.
}

const encoder = new TextEncoder();

function signedBytes(head: string, body: string | Uint8Array): Uint8Array {
  if (typeof body === "string") return encoder.encode(head + body);
  const content = new Uint8Array(head.length + body.length);
  encoder.encodeInto(head, content);
  content.set(body, head.length);
  return content;
}

interface SigningKey {
  readonly version: "v1" | "v1a";
  readonly algorithm: "HMAC" | "Ed25519";
  readonly key: CryptoKey;
}

/** Importing a key costs more than signing; a busy isolate serves few secrets. */
const KEYS_MAX = 100;
const keysBySecret = new Map<string, Promise<SigningKey>>();

function keyOf(secret: string): Promise<SigningKey> {
  const known = keysBySecret.get(secret);
  if (known !== undefined) return known;
  const key = importKey(secret);
  if (keysBySecret.size >= KEYS_MAX) keysBySecret.clear();
  keysBySecret.set(secret, key);
  return key;
}

async function importKey(secret: string): Promise<SigningKey> {
  const seed = decodeWebhookSeed(secret);
  if (seed !== null) return { version: "v1a", algorithm: "Ed25519", key: await importSeed(seed, false) };
  const bytes = decodeWebhookSecret(secret);
  assert(bytes !== null, "a stored webhook secret has the form whsec_<base64> or whsk_<base64>");
  const key = await crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return { version: "v1", algorithm: "HMAC", key };
}

/** What stands before the seed in PKCS #8 (RFC 8410, §7), the only form in which Web Crypto takes one. */
const PKCS8_HEAD = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20]);

const importSeed = (seed: Uint8Array, extractable: boolean): Promise<CryptoKey> =>
  crypto.subtle.importKey("pkcs8", Uint8Array.from([...PKCS8_HEAD, ...seed]), "Ed25519", extractable, ["sign"]);

/** The 32 bytes of the public half. */
export async function publicKeyOf(seed: Uint8Array): Promise<Uint8Array> {
  const { x } = (await crypto.subtle.exportKey("jwk", await importSeed(seed, true))) as { readonly x: string };
  return Uint8Array.from(atob(x.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
}
