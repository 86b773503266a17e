/**
 * Cuts a stream of bytes into lines, holding no more than one line at a time. Lines end with LF or CRLF, the last one
 * with the stream; blank lines do not count. No other character of UTF-8 holds the byte of a LF, so a line is cut
 * before it is decoded, and one that is not UTF-8 spoils no other.
 */
import { decodeUtf8 } from "../../core/utf8.ts";

export type Line =
  | { readonly kind: "line"; readonly text: string }
  /** Longer than the limit: reported once, when it has passed it (`actual` is what was seen by then), and skipped. */
  | { readonly kind: "too_long"; readonly limit: number; readonly actual: number }
  | { readonly kind: "not_utf8" };

const LF = 0x0a;
const CR = 0x0d;

export class LineSplitter {
  readonly #bytesMax: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #isSkipping = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The lines that the chunk completes, in order. */
  feed(chunk: Uint8Array): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, start)) {
      this.#hold(chunk.subarray(start, end), lines);
      this.#complete(lines);
      start = end + 1;
    }
    this.#hold(chunk.subarray(start), lines);
    return lines;
  }

  /** The stream has ended: the last line, if it had no line break. */
  end(): Line[] {
    const lines: Line[] = [];
    this.#complete(lines);
    return lines;
  }

  #hold(bytes: Uint8Array, lines: Line[]): void {
    if (this.#isSkipping || bytes.length === 0) return;
    this.#held.push(bytes);
    this.#heldBytes += bytes.length;
    // One more may be a CR.
    if (this.#heldBytes > this.#bytesMax + 1) this.#skip(lines);
  }

  #skip(lines: Line[]): void {
    lines.push({ kind: "too_long", limit: this.#bytesMax, actual: this.#heldBytes });
    this.#isSkipping = true;
    this.#drop();
  }

  #complete(lines: Line[]): void {
    const line = this.#isSkipping ? null : this.#read();
    if (line !== null) lines.push(line);
    this.#isSkipping = false;
    this.#drop();
  }

  /** What is held, as a line; null for a blank one. */
  #read(): Line | null {
    const held = this.#held.length === 1 ? this.#held[0]! : concat(this.#held, this.#heldBytes);
    const bytes = held.at(-1) === CR ? held.subarray(0, -1) : held;
    const text = decodeUtf8(bytes);
    if (text === null) return { kind: "not_utf8" };
    if (text.trim() === "") return null;
    const isTooLong = bytes.length > this.#bytesMax;
    return isTooLong ? { kind: "too_long", limit: this.#bytesMax, actual: bytes.length } : { kind: "line", text };
  }

  #drop(): void {
    this.#held = [];
    this.#heldBytes = 0;
  }
}

function concat(parts: readonly Uint8Array[], length: number): Uint8Array {
  const whole = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
