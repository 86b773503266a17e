import { expect, it } from "vitest";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import { LIMITS } from "../../src/core/limits.ts";
import type { ClaimedDelivery, SettledDelivery } from "../../src/durable-objects/rpc.ts";
import { workDispatch, type DispatchPorts } from "../../src/delivery/dispatch-work.ts";

const ACCEPTED: AttemptOutcome = { kind: "accepted", status: 204 };

/**
 * Ports over a clock of their own: nothing passes but what the test says. Attempts last as long as asked; time moves to
 * the next thing that waits as soon as everybody waits.
 */
class FakeWorld implements DispatchPorts {
  readonly settles: { readonly at: number; readonly offsets: readonly number[]; readonly done: boolean }[] = [];
  readonly settled: SettledDelivery[] = [];
  readonly attempted: number[] = [];
  mostAtOnce = 0;
  continues: (settle: number) => boolean | "throws" = () => true;
  lineOf: (delivery: ClaimedDelivery) => Promise<string | null> = async ({ offset }) => `line ${offset}`;
  #now = 0;
  #running = 0;
  #waits: { readonly at: number; readonly wake: () => void }[] = [];
  readonly #durationMs: (offset: number) => number;
  readonly #outcome: (offset: number) => AttemptOutcome;

  constructor(durationMs: (offset: number) => number, outcome: (offset: number) => AttemptOutcome = () => ACCEPTED) {
    this.#durationMs = durationMs;
    this.#outcome = outcome;
  }

  now = (): number => this.#now;
  line = (delivery: ClaimedDelivery): Promise<string | null> => this.lineOf(delivery);

  async attempt({ offset }: ClaimedDelivery): Promise<AttemptOutcome> {
    this.attempted.push(offset);
    this.#running += 1;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#running);
    await new Promise<void>((resolve) => {
      this.later(this.#durationMs(offset), resolve);
    });
    this.#running -= 1;
    return this.#outcome(offset);
  }

  async settle(outcomes: readonly SettledDelivery[], done: boolean): Promise<{ continue: boolean }> {
    const answer = this.continues(this.settles.length);
    this.settles.push({ at: this.#now, offsets: outcomes.map(({ offset }) => offset), done });
    if (answer === "throws") throw new Error("the ledger is not there");
    this.settled.push(...outcomes);
    return { continue: answer };
  }

  later(ms: number, callback: () => void): () => void {
    const wait = { at: this.#now + ms, wake: callback };
    this.#waits.push(wait);
    return () => {
      this.#waits = this.#waits.filter((other) => other !== wait);
    };
  }

  run(deliveries: number, timeoutMs?: number): Promise<void> {
    return this.runAll(
      Array.from({ length: deliveries }, (_, index) => delivery(index + 1)),
      timeoutMs,
    );
  }

  /** Runs the dispatch to its end. */
  async runAll(deliveries: readonly ClaimedDelivery[], timeoutMs = 15_000): Promise<void> {
    let ended = false;
    const work = workDispatch(deliveries, timeoutMs, this);
    const end = work.finally(() => {
      ended = true;
    });
    end.catch(() => undefined);
    for (;;) {
      for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
      if (ended) return end;
      const next = this.#waits.toSorted((left, right) => left.at - right.at)[0];
      if (next === undefined) throw new Error("everybody waits for nothing");
      this.#waits = this.#waits.filter((other) => other !== next);
      this.#now = next.at;
      next.wake();
    }
  }
}

const delivery = (offset: number): ClaimedDelivery => ({
  id: `msg_s_1_${offset}`,
  source: 1,
  topic: "t",
  partition: 0,
  epoch: 1,
  offset,
  attempt: 1,
  redrive: false,
  line: null,
});

it("[DLV-15] attempts each delivery once, at most six at a time, and settles all", async () => {
  const world = new FakeWorld(() => 10);
  await world.run(100);
  expect(world.attempted.toSorted((left, right) => left - right)).toEqual(
    Array.from({ length: 100 }, (_, index) => index + 1),
  );
  expect(world.mostAtOnce).toBe(LIMITS.DISPATCH_CONNECTIONS_MAX);
  expect(world.settled).toHaveLength(100);
});

it("[DLV-15] settles after every portion of outcomes and ends with one that says done", async () => {
  const world = new FakeWorld(() => 20);
  await world.run(100);
  expect(world.settles.at(-1)!.done).toBe(true);
  expect(world.settles.slice(0, -1).every(({ done }) => !done)).toBe(true);
  expect(world.settles.length).toBeGreaterThanOrEqual(4);
  expect(Math.max(...world.settles.map(({ offsets }) => offsets.length))).toBeLessThanOrEqual(
    LIMITS.SETTLE_OUTCOMES + LIMITS.DISPATCH_CONNECTIONS_MAX,
  );
});

it("[DLV-41] settles what a fast target takes in a twentieth of a second together", async () => {
  const world = new FakeWorld(() => 2);
  await world.run(300);
  const times = world.settles.map(({ at }) => at);
  expect(times.slice(0, -1)).toEqual([50, 100]);
  expect(world.settles[0]!.offsets.length).toBeGreaterThan(24 * LIMITS.DISPATCH_CONNECTIONS_MAX);
  expect(world.settled).toHaveLength(300);
});

it("[DLV-41] settles at once the whole of a small dispatch", async () => {
  const world = new FakeWorld(() => 1);
  await world.run(100);
  expect(world.settles).toEqual([{ at: 17, offsets: expect.objectContaining({ length: 100 }), done: true }]);
});

it("[DLV-15] settles what there is a quarter of a second after the first outcome", async () => {
  const world = new FakeWorld((offset) => (offset === 1 ? 100 : 2_000));
  await world.run(6);
  expect(world.settles[0]).toEqual({ at: 100 + LIMITS.SETTLE_INTERVAL_MS, offsets: [1], done: false });
});

it("[DLV-15] begins nothing that could pass the deadline, and gives it back unattempted", async () => {
  const world = new FakeWorld(() => 4_000);
  await world.run(100, 15_000);
  // Begun at 0, 4 and 8 seconds; at 12 an attempt of 15 seconds could pass 25.
  expect(world.attempted).toHaveLength(18);
  expect(world.settled).toHaveLength(18);
  expect(world.settles.at(-1)).toMatchObject({ at: 12_000, done: true });
});

it("[DLV-15] the first round begins even when one attempt may take longer than the deadline", async () => {
  const world = new FakeWorld(() => 1_000);
  await world.run(20, 60_000);
  expect(world.attempted).toHaveLength(LIMITS.DISPATCH_CONNECTIONS_MAX);
});

it("[DLV-15] a lost claim ends it: nothing more begins, and what is under way is settled", async () => {
  const world = new FakeWorld((offset) => (offset === 6 ? 5_000 : 20));
  world.continues = () => false;
  await world.run(100);
  expect(world.settles[0]!.offsets).toHaveLength(LIMITS.SETTLE_OUTCOMES);
  expect(world.attempted.length).toBeLessThanOrEqual(LIMITS.SETTLE_OUTCOMES + 2 * LIMITS.DISPATCH_CONNECTIONS_MAX);
  expect(world.settled.map(({ offset }) => offset).toSorted((left, right) => left - right)).toEqual(
    world.attempted.toSorted((left, right) => left - right),
  );
});

it("[DLV-15] outcomes of a settle that failed go with the next, so that none is lost", async () => {
  const world = new FakeWorld(() => 1);
  world.continues = (settle) => (settle === 0 ? "throws" : true);
  await world.run(60);
  expect(new Set(world.settled.map(({ offset }) => offset)).size).toBe(60);
});

it("[DLV-15] the last settle is tried a second time, and then the lease decides", async () => {
  const world = new FakeWorld(() => 1);
  world.continues = (settle) => (settle === 0 ? "throws" : true);
  await world.run(1);
  expect(world.settles).toHaveLength(2);
  expect(world.settled).toHaveLength(1);

  const dead = new FakeWorld(() => 1);
  dead.continues = () => "throws";
  await expect(dead.run(1)).rejects.toThrow("the ledger is not there");
});

it("[DLV-7] an event that retention took is settled as expired, without an attempt", async () => {
  const world = new FakeWorld(() => 1);
  world.lineOf = async ({ offset }) => (offset === 2 ? null : "line");
  await world.run(3);
  expect(world.attempted).toEqual([1, 3]);
  expect(world.settled.find(({ offset }) => offset === 2)?.outcome).toEqual({ kind: "expired" });
});

it("[DLV-6] a log that cannot be reached costs no attempt", async () => {
  const world = new FakeWorld(() => 1);
  world.lineOf = () => Promise.reject(new Error("not there"));
  await world.run(3);
  expect(world.settled.map(({ outcome }) => outcome.kind)).toEqual(["not_attempted", "not_attempted", "not_attempted"]);
});

it("[DLV-3] failures carry the event along, so that a dead letter has its own copy; successes do not", async () => {
  const refused: AttemptOutcome = { kind: "refused", status: 500, retryAfterMs: null, excerpt: "no" };
  const world = new FakeWorld(
    () => 1,
    (offset) => (offset === 1 ? refused : ACCEPTED),
  );
  await world.run(2);
  expect(world.settled.map(({ offset, line }) => [offset, line])).toEqual([
    [1, "line 1"],
    [2, null],
  ]);
});

/** Deliveries of the lanes named, offsets counting from 1; "-" has none. */
const laned = (lanes: string): ClaimedDelivery[] =>
  [...lanes].map((lane, index) => ({ ...delivery(index + 1), ...(lane !== "-" && { lane }) }));

it("[DLV-30] attempts the deliveries of a lane one after the other, and those of different lanes at once", async () => {
  const world = new FakeWorld(() => 10);
  await world.runAll(laned("aaabbb-"));
  expect(world.attempted).toEqual([1, 4, 7, 2, 5, 3, 6]);
  expect(world.mostAtOnce).toBe(3);
  expect(world.settled).toHaveLength(7);
});

it("[DLV-30] gives every lane its turn before any has a second one", async () => {
  const world = new FakeWorld(() => 10);
  await world.runAll(laned("aaaaaaaabcdefgh"));
  expect(world.attempted.indexOf(2)).toBeGreaterThan(world.attempted.indexOf(15));
});

it("[DLV-30] attempts nothing of a lane behind one that was not accepted, and gives it back", async () => {
  const refused: AttemptOutcome = { kind: "refused", status: 500, retryAfterMs: null, excerpt: "no" };
  const world = new FakeWorld(
    () => 10,
    (offset) => (offset === 2 ? refused : ACCEPTED),
  );
  await world.runAll(laned("aaab"));
  expect(world.attempted).toEqual([1, 4, 2]);
  expect(world.settled.map(({ offset }) => offset)).toEqual([1, 4, 2]);
});

it("[DLV-30] begins nothing more when the ledger has not heard of it for so long that its lease may be over", async () => {
  const world = new FakeWorld(() => 4_000);
  world.continues = () => "throws";
  await expect(world.runAll(laned("aaaaaa"), 1_000)).rejects.toThrow("the ledger is not there");
  expect(world.attempted).toEqual([1, 2]);
});
