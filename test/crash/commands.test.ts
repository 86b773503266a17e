/**
 * Goal: whoever races on a key has decided on what was there, and a crash neither loses nor doubles a decision.
 * Method: 200 commands at once on one key, without and with three kill -9 of the runtime; each tells in its event which
 * version it saw and whose event was the last then.
 */
import { afterEach, expect, it } from "vitest";
import { startHub, type Hub } from "../harness/hub.ts";
import { canReadProcesses } from "../harness/proc.ts";
import { defineRace, readRace, runRace, type Race, type RacedEvent } from "./command-race.ts";

const RACERS = 200;

let hub: Hub;

const start = async (): Promise<void> => {
  hub = await startHub({ consumers: { CONSUMER_COMMANDS: "test/builders/command-worker.ts" } });
  await defineRace(hub);
};
afterEach(() => hub.close());

/** Each event's handler has seen exactly what stands before it, and the log holds each racer once. */
function expectFair(log: readonly RacedEvent[], { receipts }: Race): void {
  expect(log.length).toBe(RACERS);
  expect(new Set(log.map(({ data }) => data.racer)).size).toBe(RACERS);
  for (const [index, { data, keyversion }] of log.entries()) {
    const last = log[index - 1]?.data.racer ?? null;
    expect({ keyversion, ...data }).toEqual({
      keyversion: index + 1,
      racer: data.racer,
      saw: index,
      version: index,
      last,
    });
  }
  const acknowledged = [...receipts].map(([racer, { id, offset }]) => [id, offset, racer]);
  const held = log.map(({ id, offset, data }) => [id, offset, data.racer]);
  expect(acknowledged.toSorted(byOffset)).toEqual(held);
}

const byOffset = (left: readonly unknown[], right: readonly unknown[]): number => Number(left[1]) - Number(right[1]);

it("[CMD-12] of 200 commands that race on a key each one saw the version that it was based on", async () => {
  await start();
  const race = await runRace(hub, RACERS, () => {});
  console.log(JSON.stringify({ decisions: race.attempts, repeats: race.repeats }));
  expectFair(await readRace(hub), race);
  expect(race.attempts).toBeGreaterThanOrEqual(RACERS);
}, 600_000);

it.skipIf(!canReadProcesses)(
  "[CMD-15] three kill -9 while they race lose and double nothing",
  async () => {
    await start();
    const kills = [40, 90, 140];
    let killing = Promise.resolve();
    const race = await runRace(hub, RACERS, (count) => {
      if (count >= (kills[0] ?? Infinity) && kills.shift() !== undefined)
        killing = killing.then(() => hub.killRuntime());
    });
    await killing;
    console.log(JSON.stringify({ decisions: race.attempts, repeats: race.repeats }));
    expect(kills).toEqual([]);
    expect(race.repeats).toBeGreaterThan(0);
    expectFair(await readRace(hub), race);
  },
  600_000,
);
