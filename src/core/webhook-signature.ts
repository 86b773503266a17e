/**
 * Standard Webhooks 1.0: what is signed, and how secrets and signatures are written. The shell does the signing.
 * `whsec_` is the secret of an HMAC (v1); `whsk_` and `whpk_` are the halves of an Ed25519 pair (v1a).
 */

/** How deliveries are signed: with a shared secret, with a key whose public half is published, or with both. */
export type WebhookSigning = "hmac" | "ed25519" | "both";

/** Key bytes that the specification allows. */
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
const SECRET_PREFIX = "whsec_";

/** Bytes of an Ed25519 seed (RFC 8032, §5.1.5) and of a public key. */
const KEY_BYTES = 32;
const PRIVATE_PREFIX = "whsk_";
const PUBLIC_PREFIX = "whpk_";

/** The bytes of `whsec_<base64>`; null for anything else. */
export function decodeWebhookSecret(secret: string): Uint8Array<ArrayBuffer> | null {
  const bytes = decode(SECRET_PREFIX, secret);
  return bytes !== null && bytes.length >= SECRET_BYTES_MIN && bytes.length <= SECRET_BYTES_MAX ? bytes : null;
}

/** The inverse, for secrets that the hub makes. */
export const encodeWebhookSecret = (bytes: Uint8Array): string => SECRET_PREFIX + toBase64(bytes);

/** The seed in `whsk_<base64>`, which the hub mints and nobody is shown; null for anything else. */
export function decodeWebhookSeed(privateKey: string): Uint8Array<ArrayBuffer> | null {
  const bytes = decode(PRIVATE_PREFIX, privateKey);
  return bytes?.length === KEY_BYTES ? bytes : null;
}

export const encodeWebhookSeed = (seed: Uint8Array): string => PRIVATE_PREFIX + toBase64(seed);

export const encodeWebhookPublicKey = (bytes: Uint8Array): string => PUBLIC_PREFIX + toBase64(bytes);

/** `id` holds no dot, so the three parts cannot be shifted against each other. */
export const webhookSignedContent = (id: string, timestampSeconds: number, body: string): string =>
  `${id}.${timestampSeconds}.${body}`;

/** One entry of `webhook-signature`; several stand in it with a space between them. */
export const formatWebhookSignature = (version: "v1" | "v1a", signature: Uint8Array): string =>
  `${version},${toBase64(signature)}`;

function decode(prefix: string, text: string): Uint8Array<ArrayBuffer> | null {
  const encoded = text.startsWith(prefix) ? text.slice(prefix.length) : "";
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded)) return null;
  return Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
}

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
