/** Messages that the queue may have before the rows of their dispatches are committed. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, expect, it } from "vitest";
import { acceptPush } from "../../src/durable-objects/subscription/accept.ts";
import { Ledger } from "../../src/durable-objects/subscription/ledger.ts";
import type { LogPush } from "../../src/durable-objects/rpc.ts";
import type { Env } from "../../src/env.ts";
import { subscription } from "../../src/stubs.ts";
import { ACCEPTED, LedgerWorld } from "./ledger-world.ts";

let world: LedgerWorld;
let worlds = 0;

beforeEach(async () => {
  worlds += 1;
  world = new LedgerWorld(`rung${worlds}`, ["t"]);
  await world.define();
});

const rowsOf = ({ storage }: Ledger): number =>
  storage.sql.exec<{ rows: number }>("SELECT total_changes() AS rows").one().rows;

/** What the log has to say after so many more events. */
function nextPush(events: number): LogPush {
  world.log("t").head += events;
  return world.log("t").push();
}

it("[DLV-44] the queue is rung before the first row of the turn, once a number is reserved", async () => {
  const rowsBefore = await world.step((ledger) => {
    const rowsBeforeRing = (push: LogPush): number => {
      const before = rowsOf(ledger);
      let rows = NaN;
      acceptPush(ledger, push, Date.now(), () => (rows = rowsOf(ledger) - before));
      return rows;
    };
    return [rowsBeforeRing(nextPush(2)), rowsBeforeRing(nextPush(2))];
  });
  expect(rowsBefore[0]).toBeGreaterThan(0); // The first of all begins its source, and reserves.
  expect(rowsBefore[1]).toBe(0);
});

it("[DLV-44] a message whose dispatch was lost before its commit names nothing, now or later", async () => {
  const lost: number[] = [];
  const object = subscription(env as Env, world.definition.app, world.definition.id);
  const told = [nextPush(1), nextPush(2)] as const;
  const ending = runInDurableObject(object, async (_instance, state) => {
    const ledger = new Ledger(state);
    acceptPush(ledger, told[0], Date.now(), () => undefined);
    await state.storage.sync();
    acceptPush(ledger, told[1], Date.now(), (messages) => lost.push(...messages.map(({ dispatch }) => dispatch)));
    state.abort("lost before the commit");
  });
  await expect(ending).rejects.toThrow();
  expect(lost).toHaveLength(1);

  const next = new LedgerWorld(world.definition.id, ["t"]); // A stub of what was lost is of no more use.
  expect(await next.stats()).toMatchObject({ matched: 1 });
  expect(await next.claim(lost[0]!)).toEqual({ kind: "nothing" });
  await next.accept(told[1]); // The log had no answer, so it tells again.
  const { dispatch } = next.sent.at(-1)!;
  expect(dispatch).not.toBe(lost[0]);
  expect(await next.claim(lost[0]!)).toEqual({ kind: "nothing" });
  await next.settle(dispatch, await next.claimed(dispatch), [ACCEPTED, ACCEPTED]);
  expect(await next.stats()).toMatchObject({ matched: 3, delivered: 2 });
});
