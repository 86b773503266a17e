/** Questions to many objects, so many at once, of which none may fail the answer: who cannot be reached is counted. */
const ASKED_TOGETHER = 20;

export class Asking {
  #unreached = 0;

  /** Objects that did not answer. */
  get unreached(): number {
    return this.#unreached;
  }

  async one<Value>(work: () => Promise<Value>, otherwise: Value): Promise<Value> {
    try {
      return await work();
    } catch {
      this.#unreached += 1;
      return otherwise;
    }
  }

  /** In the order of the items, without those that could not be reached or have nothing to say (null). */
  async each<Item, Value>(items: readonly Item[], work: (item: Item) => Promise<Value | null>): Promise<Value[]> {
    const answers: (Value | null)[] = [];
    for (let at = 0; at < items.length; at += ASKED_TOGETHER) {
      const together = items.slice(at, at + ASKED_TOGETHER);
      answers.push(...(await Promise.all(together.map((item) => this.one(() => work(item), null)))));
    }
    return answers.filter((answer) => answer !== null);
  }
}
