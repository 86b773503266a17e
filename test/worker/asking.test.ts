import { expect, it } from "vitest";
import { Asking } from "../../src/worker/asking.ts";

it("[OPS-5] many are asked in turns, in their order, and who does not answer is counted and left out", async () => {
  const asking = new Asking();
  let [open, most] = [0, 0];
  const answers = await asking.each(
    Array.from({ length: 50 }, (_, index) => index),
    async (index) => {
      open += 1;
      most = Math.max(most, open);
      await Promise.resolve();
      open -= 1;
      if (index === 7) throw new Error("not there");
      return index === 9 ? null : index;
    },
  );
  expect(answers).toEqual(
    Array.from({ length: 50 }, (_, index) => index).filter((index) => index !== 7 && index !== 9),
  );
  expect([asking.unreached, most]).toEqual([1, 20]);
  expect(await asking.one(() => Promise.reject(new Error("nor here")), "nothing")).toBe("nothing");
  expect(asking.unreached).toBe(2);
});
