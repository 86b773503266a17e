import { describe, expect, it } from "vitest";
import {
  API_KEY_ID_BYTES,
  API_KEY_SECRET_BYTES,
  apiKeyId,
  apiKeySecret,
  formatApiKey,
  isApiKeyId,
  parseApiKey,
} from "../../src/core/api-key-text.ts";
import { seededRandom } from "../harness/random.ts";

const SEED = 20_261_121;

function makeParts(random: () => number): { id: string; secret: string } {
  const bytes = (count: number): Uint8Array => Uint8Array.from({ length: count }, () => Math.floor(random() * 256));
  return { id: apiKeyId(bytes(API_KEY_ID_BYTES)), secret: apiKeySecret(bytes(API_KEY_SECRET_BYTES)) };
}

const key = { id: "0123456789AB", secret: "a".repeat(43) };

describe("an API key", () => {
  it("[ACC-1] has the form that scanners look for, and its checksum is the CRC-32 of what stands before it", () => {
    // The digits of zlib's crc32 of the same text, in base 62.
    expect(formatApiKey(key)).toBe(`tdg_0123456789AB_${"a".repeat(43)}2IlUfW`);
  });

  it("[ACC-1] is read back as it was made, whatever chance brings", () => {
    const random = seededRandom(SEED);
    const seen = new Set<string>();
    for (let round = 0; round < 1_000; round += 1) {
      const parts = makeParts(random);
      const text = formatApiKey(parts);
      expect(text, `seed ${SEED}`).toMatch(/^tdg_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}$/);
      expect(parseApiKey(text)).toEqual(parts);
      seen.add(parts.id).add(parts.secret);
    }
    expect(seen.size).toBe(2_000);
  });

  it("[ACC-1] holds all 256 bits of its secret, from none set to all", () => {
    const of = (byte: number): string => apiKeySecret(new Uint8Array(API_KEY_SECRET_BYTES).fill(byte));
    expect(of(0)).toBe("0".repeat(43));
    expect(of(255)).toHaveLength(43);
    const secrets = Array.from({ length: 256 }, (_, bit) => {
      const bytes = new Uint8Array(API_KEY_SECRET_BYTES);
      bytes[bit >> 3] = 1 << (bit & 7);
      return apiKeySecret(bytes);
    });
    expect(new Set([...secrets, of(0), of(255)]).size).toBe(258);
  });

  it("[ACC-1] with any one character changed, or two neighbours swapped, is none", () => {
    const text = formatApiKey(makeParts(seededRandom(SEED)));
    for (let at = 0; at < text.length; at += 1) {
      for (const other of ["0", "Z", "_", " ", "é"].filter((character) => character !== text[at])) {
        expect(parseApiKey(text.slice(0, at) + other + text.slice(at + 1)), `${other} at ${at}`).toBeNull();
      }
      if (at > 0 && text[at] !== text[at - 1]) {
        expect(parseApiKey(text.slice(0, at - 1) + text[at] + text[at - 1] + text.slice(at + 1))).toBeNull();
      }
    }
  });

  it.each(["", "tdg_", "root", `${formatApiKey(key)} `, `${formatApiKey(key)}\n`, ` ${formatApiKey(key)}`, "tdg__"])(
    "[ACC-1] %j is none",
    (text) => {
      expect(parseApiKey(text)).toBeNull();
    },
  );

  it("knows the form of its id", () => {
    expect(isApiKeyId(key.id)).toBe(true);
    expect(
      ["", "root", "0123456789A", "0123456789ABC", "0123456789A/", "../../../../x", "0123456789AB\n"].some(isApiKeyId),
    ).toBe(false);
  });
});
