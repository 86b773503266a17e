/**
 * The part of RFC 6455 that a load client needs: unfragmented frames in, masked text frames out. It does little, because
 * it shares two cores with what it measures, a thousand times over.
 */

export const OPCODE = { text: 1, close: 8 } as const;

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** The whole frames at the start of the bytes, and what is left of them. */
export function readFrames(bytes: Buffer): { readonly frames: readonly Frame[]; readonly rest: Buffer } {
  const frames: Frame[] = [];
  let at = 0;
  for (;;) {
    const header = readHeader(bytes, at);
    const end = header === null ? Infinity : at + header.bytes + header.length;
    if (header === null || end > bytes.length) return { frames, rest: bytes.subarray(at) };
    frames.push({ opcode: header.opcode, payload: bytes.subarray(at + header.bytes, end) });
    at = end;
  }
}

interface Header {
  readonly opcode: number;
  readonly bytes: number;
  readonly length: number;
}

/** §5.2. A server's frames are never masked, and neither side of the bench fragments. */
function readHeader(bytes: Buffer, at: number): Header | null {
  if (bytes.length < at + 2) return null;
  const first = bytes[at]!;
  if ((first & 0x80) === 0) throw new Error("a fragmented frame: this client does not join fragments");
  const opcode = first & 0x0f;
  const length = bytes[at + 1]! & 0x7f;
  if (length < 126) return { opcode, bytes: 2, length };
  if (length === 126) return bytes.length < at + 4 ? null : { opcode, bytes: 4, length: bytes.readUInt16BE(at + 2) };
  return bytes.length < at + 10 ? null : { opcode, bytes: 10, length: Number(bytes.readBigUInt64BE(at + 2)) };
}

/** A client must mask (§5.3); a mask of zeros is one, and leaves the text as it is. */
export function formatTextFrame(text: string): Buffer {
  const payload = Buffer.from(text);
  if (payload.length > 0xffff) throw new Error("a frame of the bench stays below 64 KB");
  const short = payload.length < 126;
  const head = Buffer.alloc(short ? 6 : 8);
  head[0] = 0x80 | OPCODE.text;
  head[1] = 0x80 | (short ? payload.length : 126);
  if (!short) head.writeUInt16BE(payload.length, 2);
  return Buffer.concat([head, payload]);
}
