/** Which work meets in one turn, with pauses that the test ends. */
import { beforeEach, expect, it } from "vitest";
import { SharedTurn } from "../../src/durable-objects/subscription/shared-turn.ts";

let endPauses: (() => void)[];
/** What was done, in order: work by its name, and what comes behind the work of a turn. */
let done: string[];
let failAfter: boolean;
let turns: SharedTurn;

beforeEach(() => {
  [endPauses, done, failAfter] = [[], [], false];
  turns = new SharedTurn({
    pause: () => new Promise((end) => endPauses.push(end)),
    after: async () => {
      done.push("after");
      if (failAfter) throw new Error("not after");
    },
  });
});

const share = (name: string, mayWait: boolean): Promise<string> =>
  turns.share(() => {
    done.push(name);
    return `${name} is done`;
  }, mayWait);

it("[DLV-45] work that can wait is done with what comes meanwhile: in order, in one turn, answered behind it", async () => {
  const answers = [share("a", true), share("b", true), share("c", true)];
  await Promise.resolve();
  expect([endPauses.length, done]).toEqual([1, []]);
  endPauses[0]!();
  expect(await Promise.all(answers)).toEqual(["a is done", "b is done", "c is done"]);
  expect(done).toEqual(["a", "b", "c", "after"]);
});

it("[DLV-45] work that cannot wait is done at once, and takes along what waits", async () => {
  expect(await share("a", false)).toBe("a is done");
  const waiting = share("b", true);
  expect(await share("c", false)).toBe("c is done");
  expect(await waiting).toBe("b is done");
  expect(done).toEqual(["a", "after", "b", "c", "after"]);
});

it("[DLV-45] the end of a pause that was not waited for begins no later turn", async () => {
  await share("a", false);
  const waiting = share("b", true);
  endPauses[0]!();
  await Promise.resolve();
  expect(done).toEqual(["a", "after"]);
  endPauses[1]!();
  expect(await waiting).toBe("b is done");
});

it("[DLV-45] what comes while a turn is answered has one of its own", async () => {
  const second = share("a", false).then(() => share("b", false));
  expect(await second).toBe("b is done");
  expect(done).toEqual(["a", "after", "b", "after"]);
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

it("[DLV-45] when what comes after fails, so does all the work of the turn, and the next turn is a new one", async () => {
  failAfter = true;
  const outcomes = await Promise.allSettled([share("a", true), share("b", false)]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  failAfter = false;
  expect(await share("c", false)).toBe("c is done");
});
