/** What a ledger writes down of events that it passed over: no more than is of use, and never more than is bounded. */
import { beforeEach, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { giveUp, passOver } from "../../src/durable-objects/subscription/passed-over.ts";
import { EPOCH, LedgerWorld } from "./ledger-world.ts";

let world: LedgerWorld;
let worlds = 0;

beforeEach(async () => {
  worlds += 1;
  world = new LedgerWorld(`passed-over${worlds}`, ["t"]);
  await world.define();
});

it("[RPL-8] what a life passed over takes no room when it has ended", async () => {
  const life = { topic: "t", partition: 0, epoch: EPOCH };
  const givenUp = (offset: number): Promise<number> =>
    world.step((ledger) => {
      giveUp(ledger, [{ source: 1, offset }]);
      return ledger.passedOver.count(life, { first: 1, last: 3 });
    });
  await world.push(3);
  expect(await givenUp(1)).toBe(1);
  world.log("t").epoch = EPOCH + 1;
  await world.accept({ ...world.log("t").push(0), epoch: EPOCH + 1 });
  expect(await givenUp(2)).toBe(0);
});

it("[RPL-8] holes beyond the bound are forgotten, the first first, and never guessed at", async () => {
  await world.push(1);
  const { PASSED_OVER_RANGES_MAX: max } = LIMITS;
  const hole = (n: number) => ({ first: 3 * n + 1, last: 3 * n + 2 });
  await world.step((ledger) => {
    const source = ledger.sources.get(1)!;
    ledger.storage.sql.exec(
      `WITH RECURSIVE holes (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM holes WHERE n < ?2)
       INSERT INTO passed_over SELECT 't', 0, ?1, 3 * n + 1, 3 * n + 2 FROM holes`,
      EPOCH,
      max - 1,
    );
    const holes = [hole(max), hole(max + 1)];
    ledger.storage.transactionSync(() => passOver(ledger, source, holes));
    expect([ledger.passedOver.countRanges(), ledger.replays.knownSince(source)]).toEqual([max, 6]);
  });
});
