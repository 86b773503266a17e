/**
 * API keys as text: `tdg_<id>_<secret><checksum>`. The prefix and the checksum let scanners find leaked keys, and let
 * the hub refuse a slip of the pen without looking anything up.
 */
export interface ApiKeyParts {
  /** Public: names the key in lists, logs and the audit log. */
  readonly id: string;
  readonly secret: string;
}

export const API_KEY_ID_BYTES = 8;
export const API_KEY_SECRET_BYTES = 32;

const ID_CHARS = 12;
const SECRET_CHARS = 43; // 62^43 is the first power above 2^256
const CHECKSUM_CHARS = 6;
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const API_KEY = /^tdg_([0-9A-Za-z]{12})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/;
const API_KEY_ID = /^[0-9A-Za-z]{12}$/;

/** `random`: API_KEY_ID_BYTES of chance. */
export const apiKeyId = (random: Uint8Array): string => toBase62(random, ID_CHARS);

/** `random`: API_KEY_SECRET_BYTES of chance. */
export const apiKeySecret = (random: Uint8Array): string => toBase62(random, SECRET_CHARS);

export function formatApiKey({ id, secret }: ApiKeyParts): string {
  const text = `tdg_${id}_${secret}`;
  return text + checksumOf(text);
}

/** Null for what the hub cannot have made. */
export function parseApiKey(text: string): ApiKeyParts | null {
  const [, id, secret, checksum] = API_KEY.exec(text) ?? [];
  if (id === undefined || secret === undefined) return null;
  return checksum === checksumOf(`tdg_${id}_${secret}`) ? { id, secret } : null;
}

export const isApiKeyId = (text: string): boolean => API_KEY_ID.test(text);

/** The bytes as one number, in so many digits. */
function toBase62(bytes: Uint8Array, chars: number): string {
  let rest = bytes.reduce((number, byte) => number * 256n + BigInt(byte), 0n);
  let text = "";
  for (let place = 0; place < chars; place += 1) {
    text = DIGITS[Number(rest % 62n)]! + text;
    rest /= 62n;
  }
  return text;
}

/** CRC-32 (ISO 3309, as in zip) of ASCII text. */
function checksumOf(text: string): string {
  let crc = 0xffff_ffff;
  for (let index = 0; index < text.length; index += 1) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (0xedb8_8320 & -(crc & 1));
  }
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, (crc ^ 0xffff_ffff) >>> 0);
  return toBase62(bytes, CHECKSUM_CHARS);
}
