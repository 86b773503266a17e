/** Random digits for ids, drawn for many at once: a draw costs far more than its bytes. */
const POOL_BYTES = 1_024;

export class ChancePool {
  #digits = "";
  #at = 0;

  /** `count` lower-case hexadecimal digits that nobody was given before. */
  draw(count: number): string {
    if (this.#at + count > this.#digits.length) {
      this.#digits = crypto.getRandomValues(new Uint8Array(POOL_BYTES)).toHex();
      this.#at = 0;
    }
    this.#at += count;
    return this.#digits.slice(this.#at - count, this.#at);
  }
}
