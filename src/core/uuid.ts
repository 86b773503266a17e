/** UUID version 7 (RFC 9562, §5.7): 48 bits of milliseconds, then chance, so that ids sort by time. */
const VARIANTS = "89ab";

/** Hexadecimal digits of chance that one id takes. */
export const UUID_RANDOM_DIGITS = 20;

/** `random`: twenty lower-case hexadecimal digits, of which the version and the variant overwrite six bits. */
export const uuidV7 = (ms: number, random: string): string => uuidsV7(ms)(random);

/** `uuidV7` for many of the same millisecond. */
export function uuidsV7(ms: number): (random: string) => string {
  const time = ms.toString(16).padStart(12, "0");
  const head = `${time.slice(0, 8)}-${time.slice(8)}-7`;
  return (random) => {
    const variant = VARIANTS[Number.parseInt(random[4]!, 16) & 3]!;
    return `${head}${random.slice(1, 4)}-${variant}${random.slice(5, 8)}-${random.slice(8, 20)}`;
  };
}

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** When it was made, in milliseconds since 1970; null for an id that `uuidV7` cannot have made. */
export const uuidV7TimeMs = (id: string): number | null =>
  UUID_V7.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : null;
