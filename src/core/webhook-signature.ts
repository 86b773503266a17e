/** Standard Webhooks 1.0: what is signed, and how secrets and signatures are written. The shell does the signing. */

/** Key bytes that the specification allows. */
const SECRET_BYTES_MIN = 24;
const SECRET_BYTES_MAX = 64;
const PREFIX = "whsec_";

/** The bytes of `whsec_<base64>`; null for anything else. */
export function decodeWebhookSecret(secret: string): Uint8Array<ArrayBuffer> | null {
  const encoded = secret.startsWith(PREFIX) ? secret.slice(PREFIX.length) : "";
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(encoded)) return null;
  const bytes = Uint8Array.from(atob(encoded), (char) => char.charCodeAt(0));
  return bytes.length >= SECRET_BYTES_MIN && bytes.length <= SECRET_BYTES_MAX ? bytes : null;
}

/** The inverse, for secrets that the hub makes. */
export const encodeWebhookSecret = (bytes: Uint8Array): string => PREFIX + toBase64(bytes);

/** `id` holds no dot, so the three parts cannot be shifted against each other. */
export const webhookSignedContent = (id: string, timestampSeconds: number, body: string): string =>
  `${id}.${timestampSeconds}.${body}`;

/** One entry of `webhook-signature`: version 1, HMAC-SHA256. */
export const formatWebhookSignature = (mac: Uint8Array): string => `v1,${toBase64(mac)}`;

const toBase64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
