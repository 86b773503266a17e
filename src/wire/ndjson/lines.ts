/**
 * Cuts a stream of text into lines, holding no more than one line at a time. Lines end with LF or CRLF, the last one
 * with the stream; blank lines do not count.
 */
import { fitsUtf8, utf8Length } from "../../core/utf8.ts";

export type Line =
  | { readonly kind: "line"; readonly text: string }
  /** Longer than the limit: reported once, when it has passed it (`actual` is what was seen by then), and skipped. */
  | { readonly kind: "too_long"; readonly limit: number; readonly actual: number };

export class LineSplitter {
  readonly #bytesMax: number;
  #held: string[] = [];
  #heldChars = 0;
  #isSkipping = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** The lines that the chunk completes, in order. */
  feed(chunk: string): Line[] {
    const lines: Line[] = [];
    let start = 0;
    for (let end = chunk.indexOf("\n"); end >= 0; end = chunk.indexOf("\n", start)) {
      this.#hold(chunk.slice(start, end), lines);
      this.#complete(lines);
      start = end + 1;
    }
    this.#hold(chunk.slice(start), lines);
    return lines;
  }

  /** The stream has ended: the last line, if it had no line break. */
  end(): Line[] {
    const lines: Line[] = [];
    this.#complete(lines);
    return lines;
  }

  #hold(text: string, lines: Line[]): void {
    if (this.#isSkipping || text === "") return;
    this.#held.push(text);
    this.#heldChars += text.length;
    // No character takes less than a byte, so this is certain before the line is complete. One more may be a CR.
    if (this.#heldChars > this.#bytesMax + 1) this.#skip(lines);
  }

  #skip(lines: Line[]): void {
    lines.push({ kind: "too_long", limit: this.#bytesMax, actual: utf8Length(this.#held.join("")) });
    this.#isSkipping = true;
    this.#drop();
  }

  #complete(lines: Line[]): void {
    const held = this.#held.join("");
    const text = held.endsWith("\r") ? held.slice(0, -1) : held;
    const isBlank = text.trim() === "";
    if (!this.#isSkipping && !isBlank && !fitsUtf8(text, this.#bytesMax)) this.#skip(lines);
    else if (!this.#isSkipping && !isBlank) lines.push({ kind: "line", text });
    this.#isSkipping = false;
    this.#drop();
  }

  #drop(): void {
    this.#held = [];
    this.#heldChars = 0;
  }
}
