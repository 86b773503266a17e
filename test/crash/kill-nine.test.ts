/**
 * Goal: an acknowledgement and a ledger survive the plug being pulled.
 * Method: 10,000 events published to a real `npm run dev`, whose whole process tree is killed with -9 five times under
 * load and started again on the same state, while two webhook consumers fail a tenth of what they get.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findFreePort } from "../../scripts/lib/ports.ts";
import { canReadProcesses } from "../harness/proc.ts";
import { runCrash, SUBSCRIPTIONS, type CrashRun } from "./crash-run.ts";

const EVENTS = 10_000;
const SEED = Number(process.env["CRASH_SEED"] ?? Math.trunc(Math.random() * 1_000_000));

describe.skipIf(!canReadProcesses)("five kill -9 during 10,000 publishes", () => {
  const persistTo = mkdtempSync(join(tmpdir(), "tidings-crash-"));
  let run: CrashRun;

  beforeAll(async () => {
    console.log(`CRASH_SEED=${SEED}`);
    run = await runCrash({
      seed: SEED,
      port: await findFreePort(),
      persistTo,
      events: EVENTS,
      publishers: 8,
      killsAt: [1_500, 3_200, 5_000, 6_800, 8_500],
      failureRate: 0.1,
    });
    const deliveries = run.sinks.map((sink) => `${sink.deliveries.length} came, ${sink.accepted.length} accepted`);
    console.log(JSON.stringify({ ...run.figures, samples: run.samples.length, deliveries }));
  }, 240_000);

  afterAll(() => rmSync(persistTo, { recursive: true, force: true }));

  it("[CRASH-1] loses no acknowledged event and moves none", () => {
    const offsetById = new Map(run.log.map(({ id, offset }) => [id, offset]));
    const lost = [...run.acknowledged].filter(([id, offset]) => offsetById.get(id) !== offset);
    expect(run.acknowledged.size).toBe(EVENTS);
    expect({ lost, moved: run.moved }).toEqual({ lost: [], moved: [] });
  });

  it("[CRASH-2] keeps offsets dense, each event once and each publisher's order", () => {
    expect(run.log.map(({ offset }) => offset)).toEqual(Array.from({ length: EVENTS }, (_, index) => index + 1));
    expect(new Set(run.log.map(({ id }) => id)).size).toBe(EVENTS);
    const numbers = Map.groupBy(run.log, ({ id }) => id.split("-")[0]);
    for (const [publisher, events] of numbers) {
      const sent = events.map(({ id }) => Number(id.split("-")[1]));
      expect(sent, `the order of publisher ${publisher}`).toEqual(sent.toSorted((left, right) => left - right));
    }
  });

  it("[CRASH-3] delivers every event to every subscription, and owes nothing at the end", () => {
    for (const [index, sink] of run.sinks.entries()) {
      const accepted = new Set(sink.accepted.map(({ event }) => event.id));
      const missed = run.log.filter(({ id }) => !accepted.has(id)).map(({ id }) => id);
      expect(missed, `never delivered to ${SUBSCRIPTIONS[index]}`).toEqual([]);
    }
    expect(run.finalStats).toEqual(
      SUBSCRIPTIONS.map(() =>
        expect.objectContaining({
          matched: EVENTS,
          delivered: EVENTS,
          owed: 0,
          lag: 0,
          dead: 0,
          expired: 0,
          skipped: 0,
          discarded: 0,
        }),
      ),
    );
  });

  it("[CRASH-4] balances its ledgers at every instant that somebody asks", () => {
    const unbalanced = run.samples.filter(
      ({ matched, delivered, dead, owed, expired, skipped, discarded }) =>
        matched !== delivered + dead + owed + expired + skipped + discarded,
    );
    expect(unbalanced).toEqual([]);
    // A ledger that was only ever asked when it was empty would prove nothing.
    expect(run.samples.filter(({ owed }) => owed > 0).length).toBeGreaterThan(10);
  });

  it("[CRASH-5] repeats at most one delivery in a hundred, and under the same webhook-id", () => {
    for (const sink of run.sinks) {
      const idsByEvent = Map.groupBy(sink.deliveries, ({ event }) => event.id);
      const renamed = [...idsByEvent].filter(([, deliveries]) => new Set(deliveries.map(({ id }) => id)).size > 1);
      expect(renamed.map(([id]) => id)).toEqual([]);
      expect(sink.accepted.length - EVENTS).toBeLessThanOrEqual(EVENTS / 100);
    }
  });
});
