/** Which settles wait for others at the door of the ledger, where a pause ends only when the test ends it. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { Subscription } from "../../src/durable-objects/subscription/subscription.ts";
import type { SettleAnswer } from "../../src/durable-objects/rpc.ts";
import type { Env } from "../../src/env.ts";
import { subscription } from "../../src/stubs.ts";
import { ACCEPTED, LedgerWorld, outcomeOf, type Claim } from "./ledger-world.ts";

let world: LedgerWorld;
let worlds = 0;
let pauses: (() => void)[];

beforeEach(async () => {
  worlds += 1;
  world = new LedgerWorld(`shared${worlds}`, ["t"]);
  await world.define();
  pauses = [];
  vi.spyOn(scheduler, "wait").mockImplementation(() => new Promise((end) => pauses.push(end)));
});

afterEach(() => {
  for (const end of pauses) end(); // What still waits would hold the object, and the run with it.
  vi.restoreAllMocks();
});

interface Held {
  readonly dispatch: number;
  readonly by: Claim;
}

/** A claimed dispatch of two deliveries. */
async function hold(): Promise<Held> {
  await world.push(2);
  const { dispatch } = world.sent.at(-1)!;
  return { dispatch, by: await world.claimed(dispatch) };
}

/** The object itself, woken from the rows. */
async function atTheDoor(look: (door: Subscription) => Promise<void>): Promise<void> {
  const stub = subscription(env as Env, world.definition.app, world.definition.id);
  await evictDurableObject(stub);
  await runInDurableObject(stub, (door) => look(door as unknown as Subscription));
}

/** The first `count` deliveries were accepted. */
function settle(door: Subscription, { dispatch, by }: Held, count: number): Promise<SettleAnswer> {
  const outcomes = by.deliveries.slice(0, count).map((delivery) => outcomeOf(delivery, ACCEPTED));
  return door.settle(dispatch, by.claim, outcomes, count === by.deliveries.length);
}

/** All that can go on without the test has gone on. */
const rest = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

it("[DLV-45] waits while others are open, until the end of one of them, which waits for nobody", async () => {
  const [first, second] = [await hold(), await hold()];
  await atTheDoor(async (door) => {
    let isAnswered = false;
    const waiting = settle(door, first, 1).then((answer) => {
      isAnswered = true;
      return answer;
    });
    await rest();
    expect([isAnswered, pauses.length]).toEqual([false, 1]);
    expect(scheduler.wait).toHaveBeenLastCalledWith(40);
    expect(await settle(door, second, 2)).toEqual({ continue: false });
    expect(await waiting).toEqual({ continue: true });
  });
  expect(await world.stats()).toMatchObject({ matched: 4, delivered: 3, owed: 1 });
});

it("[DLV-45] waits no longer than its pause, or the ledger's next look at itself", async () => {
  const [first] = [await hold(), await hold()];
  await atTheDoor(async (door) => {
    const waiting = settle(door, first, 1);
    await rest();
    pauses[0]!();
    expect(await waiting).toEqual({ continue: true });
    const again = settle(door, first, 1);
    await door.alarm();
    expect(await again).toEqual({ continue: true });
  });
});

it("[DLV-45] waits for nobody where nobody else is", async () => {
  const only = await hold();
  await atTheDoor(async (door) => {
    expect(await settle(door, only, 1)).toEqual({ continue: true });
    expect(pauses).toEqual([]);
  });
});
