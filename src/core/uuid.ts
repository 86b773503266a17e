/** UUID version 7 (RFC 9562, §5.7): 48 bits of milliseconds, then chance, so that ids sort by time. */
const HEX_BY_BYTE = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Bytes of chance that one id takes. */
export const UUID_RANDOM_BYTES = 10;

/** `random`: ten bytes from `at` on, of which the version and the variant overwrite six bits. */
export function uuidV7(ms: number, random: Uint8Array, at = 0): string {
  const time = ms.toString(16).padStart(12, "0");
  const hex = (index: number): string => HEX_BY_BYTE[random[at + index]!]!;
  const version = HEX_BY_BYTE[0x70 | (random[at]! & 0x0f)]!;
  const variant = HEX_BY_BYTE[0x80 | (random[at + 2]! & 0x3f)]!;
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}${hex(1)}-${variant}${hex(3)}-` +
    `${hex(4)}${hex(5)}${hex(6)}${hex(7)}${hex(8)}${hex(9)}`;
}

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** When it was made, in milliseconds since 1970; null for an id that `uuidV7` cannot have made. */
export const uuidV7TimeMs = (id: string): number | null =>
  UUID_V7.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : null;
