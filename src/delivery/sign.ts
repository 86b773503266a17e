/** Standard Webhooks 1.0, signature version 1: HMAC-SHA256 with the endpoint's secret. */
import { assert } from "../core/assert.ts";
import { decodeWebhookSecret, formatWebhookSignature, webhookSignedContent } from "../core/webhook-signature.ts";

/** Importing a key costs more than signing; a busy isolate serves few secrets. */
const KEYS_MAX = 100;
const keysBySecret = new Map<string, Promise<CryptoKey>>();

/** The value of `webhook-signature`. Throws on a secret that `decodeWebhookSecret` refuses; those are never stored. */
export async function signWebhook(secret: string, id: string, timestampSeconds: number, body: string): Promise<string> {
  const content = new TextEncoder().encode(webhookSignedContent(id, timestampSeconds, body));
  return formatWebhookSignature(new Uint8Array(await crypto.subtle.sign("HMAC", await keyOf(secret), content)));
}

function keyOf(secret: string): Promise<CryptoKey> {
  const known = keysBySecret.get(secret);
  if (known !== undefined) return known;
  const bytes = decodeWebhookSecret(secret);
  assert(bytes !== null, "a stored webhook secret has the form whsec_<base64>");
  const key = crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  if (keysBySecret.size >= KEYS_MAX) keysBySecret.clear();
  keysBySecret.set(secret, key);
  return key;
}
