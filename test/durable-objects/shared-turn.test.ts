/** Which work meets in one turn, with pauses and an end that the test gives. */
import { beforeEach, expect, it } from "vitest";
import { SharedTurn } from "../../src/durable-objects/subscription/shared-turn.ts";

let endPauses: (() => void)[];
/** What was done, in order: work by its name, and what comes behind the work of a turn. */
let done: string[];
/** What comes behind the work of a turn resolves, or rejects, with this. */
let end: Promise<void>;
let turns: SharedTurn;

beforeEach(() => {
  [endPauses, done, end] = [[], [], Promise.resolve()];
  turns = new SharedTurn({
    pause: () => new Promise((over) => endPauses.push(over)),
    after: () => {
      done.push("after");
      return end;
    },
  });
});

const share = (name: string, mayWait: boolean): Promise<string> =>
  turns.share(() => {
    done.push(name);
    return `${name} is done`;
  }, mayWait);

/** All that can go on without the test has gone on. */
const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

it("[DLV-45] work that can wait is done with what comes meanwhile: in order, in one turn, answered behind it", async () => {
  const answers = [share("a", true), share("b", true), share("c", true)];
  await rest();
  expect([endPauses.length, done]).toEqual([1, []]);
  endPauses[0]!();
  expect(await Promise.all(answers)).toEqual(["a is done", "b is done", "c is done"]);
  expect(done).toEqual(["a", "b", "c", "after"]);
});

it("[DLV-45] work that cannot wait is done at once and without a pause, and takes along what waits", async () => {
  expect(await share("a", false)).toBe("a is done");
  expect(endPauses).toEqual([]);
  const waiting = share("b", true);
  expect(await share("c", false)).toBe("c is done");
  expect(await waiting).toBe("b is done");
  expect(done).toEqual(["a", "after", "b", "c", "after"]);
});

it("[DLV-45] what waits is done when it is told to, and its pause begins no later turn", async () => {
  const first = share("a", true);
  turns.begin();
  expect(await first).toBe("a is done");
  const second = share("b", true);
  endPauses[0]!();
  await rest();
  expect(done).toEqual(["a", "after"]);
  endPauses[1]!();
  expect(await second).toBe("b is done");
});

it("[DLV-45] what comes while a turn ends has one of its own, and nobody is answered before its end", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  end = promise;
  const answered: string[] = [];
  const first = share("a", false).then((answer) => answered.push(answer));
  await rest();
  expect([done, answered]).toEqual([["a", "after"], []]);
  const second = share("b", false).then((answer) => answered.push(answer));
  await rest();
  expect([done, answered]).toEqual([["a", "after", "b", "after"], []]);
  resolve();
  await Promise.all([first, second]);
  expect(answered).toEqual(["a is done", "b is done"]);
});

it("[DLV-45] work that fails rejects for itself alone", async () => {
  const failing = turns.share((): never => {
    throw new Error("no");
  }, true);
  const other = share("b", false);
  await expect(failing).rejects.toThrow("no");
  expect(await other).toBe("b is done");
  expect(done).toEqual(["b", "after"]);
});

it("[DLV-45] when what comes after fails, nobody of the turn is answered, and the next turn is a new one", async () => {
  end = Promise.reject(new Error("not after"));
  const outcomes = await Promise.allSettled([share("a", true), share("b", false)]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  end = Promise.resolve();
  expect(await share("c", false)).toBe("c is done");
});
