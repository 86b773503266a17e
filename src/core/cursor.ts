/**
 * A cursor: "everything up to and including these offsets is mine". On the wire it is opaque: base64url of a format
 * byte, the topic's epoch, then a partition and an offset for each partition that was read, all as varints.
 * Only this file formats or parses it.
 */
import { LIMITS } from "./limits.ts";

export interface Cursor {
  readonly epoch: number;
  /** Offset by partition; a partition that is absent has not been read at all. */
  readonly offsets: ReadonlyMap<number, number>;
}

const FORMAT = 1;
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const VALUE_BY_CODE = new Map([...ALPHABET].map((char, value) => [char.charCodeAt(0), value]));
const TEXT_CHARS_MAX = 1_400; // 64 partitions of two varints of at most eight bytes, in base64

export function formatCursor(cursor: Cursor): string {
  const bytes: number[] = [FORMAT];
  pushVarint(bytes, cursor.epoch);
  const partitions = [...cursor.offsets].toSorted(([left], [right]) => left - right);
  for (const [partition, offset] of partitions) {
    pushVarint(bytes, partition);
    pushVarint(bytes, offset);
  }
  return toBase64Url(bytes);
}

/** The cursor after one event of one partition, which is what a receipt names: `formatCursor` without the map. */
export const formatPartitionCursor = (epoch: number, partition: number, offset: number): string =>
  partitionCursors(epoch, partition)(offset);

/** `formatPartitionCursor` for many offsets: what their cursors have in common is spelled once. */
export function partitionCursors(epoch: number, partition: number): (offset: number) => string {
  const common: number[] = [FORMAT];
  pushVarint(common, epoch);
  pushVarint(common, partition);
  const whole = common.length - (common.length % 3); // Three bytes are four characters, whatever follows.
  const [prefix, rest] = [toBase64Url(common.slice(0, whole)), common.slice(whole)];
  return (offset) => {
    const bytes = [...rest];
    pushVarint(bytes, offset);
    return prefix + toBase64Url(bytes);
  };
}

/** Null for what `formatCursor` cannot have written, so that one position has exactly one spelling. */
export function parseCursor(text: string): Cursor | null {
  if (text.length === 0 || text.length > TEXT_CHARS_MAX) return null;
  const bytes = fromBase64Url(text);
  if (bytes === null || bytes[0] !== FORMAT) return null;
  const numbers = readVarints(bytes, 1);
  if (numbers === null || numbers.length % 2 !== 1) return null;

  const offsets = new Map<number, number>();
  for (let index = 1; index < numbers.length; index += 2) offsets.set(numbers[index]!, numbers[index + 1]!);
  const cursor = { epoch: numbers[0]!, offsets };
  const inRange = [...offsets.keys()].every((partition) => partition < LIMITS.TOPIC_PARTITIONS_MAX);
  return inRange && formatCursor(cursor) === text ? cursor : null;
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128); // Division, not shifts: epochs are milliseconds and pass 2^32.
  }
  bytes.push(rest);
}

function readVarints(bytes: readonly number[], start: number): number[] | null {
  const numbers: number[] = [];
  let value = 0;
  let scale = 1;
  for (const byte of bytes.slice(start)) {
    value += (byte % 128) * scale;
    if (!Number.isSafeInteger(value)) return null;
    if (byte >= 128) {
      scale *= 128;
      continue;
    }
    numbers.push(value);
    value = 0;
    scale = 1;
  }
  return scale === 1 ? numbers : null;
}

function toBase64Url(bytes: readonly number[]): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3) {
    const three = (bytes[at]! << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
    text +=
      ALPHABET[three >> 18]! + ALPHABET[(three >> 12) & 63]! + ALPHABET[(three >> 6) & 63]! + ALPHABET[three & 63]!;
  }
  return text.slice(0, Math.ceil((bytes.length * 4) / 3)); // What stands for bytes that are not there goes.
}

function fromBase64Url(text: string): number[] | null {
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (let index = 0; index < text.length; index += 1) {
    const value = VALUE_BY_CODE.get(text.charCodeAt(index));
    if (value === undefined) return null;
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((held >> bits) & 255);
    }
  }
  return bytes;
}
