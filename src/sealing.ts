/**
 * Secrets at rest: AES-256-GCM under keys that are derived from the environment, so that neither a copy of the database
 * nor an object's rows give a secret away. What is sealed is opened only where it is used.
 *
 * A sealed text is `sealed:v1:<key id>:<iv>:<ciphertext>`: the id of the key as 8 hex digits, the rest in base64url.
 */
import type { Config } from "./config.ts";
import { assert } from "./core/assert.ts";

/** Texts of the environment from which keys are derived: the first one seals, all of them open. */
export type Keyring = readonly string[];

/** The root key stands last: it opens what was sealed before SECRETS_KEY was set, and seals where that never is. */
export const keyringOf = ({ secretsKeys, rootKey }: Pick<Config, "secretsKeys" | "rootKey">): Keyring =>
  rootKey === null ? secretsKeys : [...secretsKeys, rootKey];

/** `context` names what the secret is for; a sealed text that is moved to another place does not open there. */
export async function sealSecret(keyring: Keyring, context: string, secret: string): Promise<string> {
  const [first] = keyring;
  assert(first !== undefined, "the hub seals nothing before it has a key");
  const { id, key } = await derive(first);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const ciphertext = await crypto.subtle.encrypt(algorithm(iv, context), key, encoder.encode(secret));
  return [PREFIX, id, toBase64Url(iv), toBase64Url(new Uint8Array(ciphertext))].join(":");
}

/**
 * The secret; null when no key of the ring opens the text: the key that sealed it is gone, or it was sealed for another
 * context. A text that was stored before there was sealing comes back as it is.
 */
export async function openSecret(keyring: Keyring, context: string, text: string): Promise<string | null> {
  if (!isSealed(text)) return text;
  const [, id, iv, ciphertext] = FORM.exec(text) ?? [];
  if (iv === undefined || ciphertext === undefined) return null;
  for (const source of keyring) {
    const derived = await derive(source);
    const opened = derived.id === id ? await open(derived.key, context, iv, ciphertext) : null;
    if (opened !== null) return opened;
  }
  return null;
}

/** Whether the key that seals now sealed it: then there is no need to seal it again. */
export async function isSealedByFirst(keyring: Keyring, text: string): Promise<boolean> {
  const [first] = keyring;
  return first !== undefined && text.startsWith(`${PREFIX}:${(await derive(first)).id}:`);
}

export const isSealed = (text: string): boolean => text.startsWith("sealed:");

const PREFIX = "sealed:v1";
const FORM = /^sealed:v1:([0-9a-f]{8}):([A-Za-z0-9_-]+):([A-Za-z0-9_-]+)$/;
const IV_BYTES = 12; // What GCM is made for (NIST SP 800-38D, §8.2); random, so one key seals up to 2^32 secrets.
const KEY_BYTES = 32;
const ID_BYTES = 4;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

async function open(key: CryptoKey, context: string, iv: string, ciphertext: string): Promise<string | null> {
  try {
    const parameters = algorithm(fromBase64Url(iv), context);
    return decoder.decode(await crypto.subtle.decrypt(parameters, key, fromBase64Url(ciphertext)));
  } catch {
    return null; // The tag does not fit: another key of the same id, another context, or a text that was changed.
  }
}

interface AesGcmParams {
  readonly name: "AES-GCM";
  readonly iv: Uint8Array;
  readonly additionalData: Uint8Array;
}

const algorithm = (iv: Uint8Array, context: string): AesGcmParams => ({
  name: "AES-GCM",
  iv,
  additionalData: encoder.encode(context),
});

interface DerivedKey {
  /** Tells which key of the ring to try; says nothing of the key. */
  readonly id: string;
  readonly key: CryptoKey;
}

const derivedKeys = new Map<string, DerivedKey>();

/** HKDF (RFC 5869): the environment holds texts of any length, and its root key must not itself be a cipher's key. */
async function derive(source: string): Promise<DerivedKey> {
  const known = derivedKeys.get(source);
  if (known !== undefined) return known;
  const material = await crypto.subtle.importKey("raw", encoder.encode(source), "HKDF", false, ["deriveBits"]);
  const parameters = {
    name: "HKDF",
    hash: "SHA-256",
    salt: new Uint8Array(),
    info: encoder.encode("tidings secrets v1"),
  };
  const bits = new Uint8Array(await crypto.subtle.deriveBits(parameters, material, (KEY_BYTES + ID_BYTES) * 8));
  const usages = ["encrypt", "decrypt"] as const;
  const key = await crypto.subtle.importKey("raw", bits.subarray(0, KEY_BYTES), "AES-GCM", false, [...usages]);
  const id = [...bits.subarray(KEY_BYTES)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const derived = { id, key };
  derivedKeys.set(source, derived);
  return derived;
}

const toBase64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

const fromBase64Url = (text: string): Uint8Array =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
