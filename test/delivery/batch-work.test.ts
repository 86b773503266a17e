import { expect, it } from "vitest";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";
import type { ClaimedDelivery, SettledDelivery } from "../../src/durable-objects/rpc.ts";
import { workBatches, type BatchPorts } from "../../src/delivery/batch-work.ts";

const ACCEPTED: AttemptOutcome = { kind: "accepted", status: 204 };
const POLICY = { maxEvents: 4, maxBytes: 1_000, maxWaitMs: 1 };

const deliveries = (count: number): ClaimedDelivery[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `msg_s_1_${index + 1}`,
    source: 1,
    topic: "t",
    partition: 0,
    epoch: 1,
    offset: index + 1,
    attempt: 1,
    redrive: false,
    line: null,
  }));

async function run(count: number, lineOf: (offset: number) => string | null | "unreachable", stepMs = 0) {
  const attempted: number[][] = [];
  const settled: SettledDelivery[] = [];
  const dones: boolean[] = [];
  let now = 0;
  const ports: BatchPorts = {
    line: async ({ offset }) => {
      const line = lineOf(offset);
      if (line === "unreachable") throw new Error("the log is not there");
      return line;
    },
    attempt: async (batch) => {
      attempted.push(batch.map(({ delivery }) => delivery.offset));
      now += stepMs;
      return batch.map(() => ACCEPTED);
    },
    settle: async (outcomes, done) => {
      settled.push(...outcomes);
      dones.push(done);
      return { continue: true };
    },
    now: () => now,
    later: () => () => undefined,
  };
  await workBatches(deliveries(count), POLICY, 15_000, ports);
  return { attempted, settled, dones };
}

it("[DLV-37] sends one request with all of it, and settles once", async () => {
  const { attempted, settled, dones } = await run(4, (offset) => `line ${offset}`);
  expect(attempted).toEqual([[1, 2, 3, 4]]);
  expect(settled.map(({ offset }) => offset)).toEqual([1, 2, 3, 4]);
  expect(dones).toEqual([true]);
});

it("[DLV-37] sends what is too large for one request in several, one after the other", async () => {
  const { attempted } = await run(4, () => "x".repeat(400));
  expect(attempted).toEqual([
    [1, 2],
    [3, 4],
  ]);
});

it("[DLV-37] leaves out what retention took and what cannot be read, and sends the others", async () => {
  const { attempted, settled } = await run(4, (offset) =>
    offset === 1 ? null : offset === 2 ? "unreachable" : "line",
  );
  expect(attempted).toEqual([[3, 4]]);
  expect(settled.map(({ offset, outcome: { kind } }) => [offset, kind])).toEqual([
    [1, "expired"],
    [2, "not_attempted"],
    [3, "accepted"],
    [4, "accepted"],
  ]);
});

it("[DLV-37] begins no request that could pass the deadline, and gives the rest back", async () => {
  const { attempted, settled } = await run(4, () => "x".repeat(900), 12_000);
  expect(attempted).toEqual([[1]]);
  expect(settled).toHaveLength(1);
});
