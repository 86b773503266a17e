/**
 * Goal: of many workers no two hold a delivery at once, and every delivery is done, whatever becomes of them.
 * Method: six workers over HTTP; a fifth of their pulls vanish, a tenth are acked when their leases have run out, while
 * the ledger is evicted and the runtime killed. Holdings are told by the server's clock, from the answers alone.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { PullWorker, type Pulled } from "../builders/pull-worker.ts";
import { startHub, type Hub } from "../harness/hub.ts";
import { seededRandom } from "../harness/random.ts";
import { eventually, pause } from "../harness/wait.ts";

const EVENTS = 5_000;
const WORKERS = 6;
const LEASE_MS = 1_000;
const SEED = Math.floor(Math.random() * 1e9);

let hub: Hub;
const state = mkdtempSync(join(tmpdir(), "tidings-pull-"));

beforeAll(async () => {
  hub = await startHub({ persistTo: state });
});
afterAll(async () => {
  await hub.close();
  rmSync(state, { recursive: true, force: true });
});

interface Holding {
  readonly from: number;
  readonly until: number;
  readonly attempt: number;
}

class Crew {
  readonly holdings = new Map<string, Holding[]>();
  readonly leases = new Set<string>();
  /** By delivery, how often an ack of it was heard to count. */
  readonly acked = new Map<string, number>();
  readonly late: string[] = [];
  readonly #random = seededRandom(SEED);
  readonly #worker = new PullWorker(hub, "crew");
  done = false;

  async work(): Promise<void> {
    while (!this.done) {
      const pulled = await this.#worker.pull({ max: 50, lease: `${LEASE_MS}ms`, wait: "500ms" }).catch(() => null);
      if (pulled === null) await pause(50); // The runtime has just died.
      for (const delivery of pulled ?? []) this.#note(delivery);
      const roll = this.#random();
      if (roll < 0.2 || !pulled?.length) continue; // Vanished: whoever comes next is another.
      if (roll < 0.3) await this.#ackLate(pulled);
      else await this.#ack(pulled);
    }
  }

  #note({ id, lease, leaseUntil, attempt }: Pulled): void {
    expect(this.leases.has(lease)).toBe(false);
    this.leases.add(lease);
    const until = Date.parse(leaseUntil);
    this.holdings.set(id, [...(this.holdings.get(id) ?? []), { from: until - LEASE_MS, until, attempt }]);
  }

  async #ackLate(pulled: readonly Pulled[]): Promise<void> {
    await pause(LEASE_MS + 50);
    const outcomes = await this.#worker.ack(pulled).catch(() => []);
    this.late.push(...outcomes);
  }

  /** An ack whose answer was lost with the runtime may have counted: the ledger's books say so in the end. */
  async #ack(pulled: readonly Pulled[]): Promise<void> {
    const outcomes = await this.#worker.ack(pulled).catch(() => []);
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome === "acked") this.acked.set(pulled[index]!.id, (this.acked.get(pulled[index]!.id) ?? 0) + 1);
    }
  }
}

async function statsOf(): Promise<Record<string, number>> {
  const { stats } = (await hub.json<{ stats: Record<string, number> }>("GET", "/v1/subscriptions/crew")).body;
  const parts = ["delivered", "dead", "owed", "expired", "skipped", "discarded"].map((part) => stats[part]!);
  expect(parts.reduce((sum, part) => sum + part, 0)).toBe(stats["matched"]);
  return stats;
}

it(`[PUL-3, PUL-4] six workers do 5,000 deliveries, each held by one at a time (seed ${SEED})`, async () => {
  await hub.json("PUT", "/v1/topics/crew", { partitions: 3 });
  await hub.json("PUT", "/v1/subscriptions/crew", {
    topics: ["crew"],
    target: { kind: "pull" },
    maxInFlight: 600,
    retry: { maxAttempts: 50 },
  });
  for (let from = 0; from < EVENTS; from += 500) {
    const drafts = Array.from({ length: 500 }, (_, index) => ({ type: "t", data: from + index }));
    expect((await hub.publish("crew", drafts)).status).toBe(201);
  }
  const crew = new Crew();
  const workers = Array.from({ length: WORKERS }, () => crew.work());
  const delivered = (count: number) =>
    eventually(
      () => statsOf().catch(() => ({ delivered: 0 })),
      (stats) => stats["delivered"]! >= count,
      `${count} are done`,
      60_000,
    );
  for (const share of [0.2, 0.4]) {
    await delivered(EVENTS * share);
    await hub.evictAll("Subscription");
  }
  for (const share of [0.5, 0.8]) {
    await delivered(EVENTS * share);
    await hub.killRuntime();
  }
  await delivered(EVENTS);
  crew.done = true;
  await Promise.all(workers);

  expect(await statsOf()).toMatchObject({ matched: EVENTS, delivered: EVENTS, dead: 0, owed: 0, lag: 0 });
  expect(crew.holdings.size).toBe(EVENTS);
  expect([...crew.acked.values()].filter((count) => count > 1)).toEqual([]);
  expect(new Set(crew.late)).toEqual(new Set(["fenced"]));
  for (const [id, holdings] of crew.holdings) {
    const inOrder = holdings.toSorted((left, right) => left.from - right.from);
    for (const [index, { from, attempt }] of inOrder.entries()) {
      const before = inOrder[index - 1];
      if (before === undefined) continue;
      expect(from, `${id} was held until ${before.until}`).toBeGreaterThanOrEqual(before.until);
      expect(attempt).toBeGreaterThan(before.attempt);
    }
  }
}, 120_000);
