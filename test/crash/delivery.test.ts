/**
 * Goal: whatever targets and machines do, every delivery comes to its end, in its order, in its time, and is counted.
 * Method: subscriptions of every mode on one log, against targets of which a tenth of the attempts fail, some are busy,
 * hang or are cut after their success, three events are poison and one key is broken; `npm run dev` is killed with -9
 * three times. What the targets wrote down is held against what the hub says of itself.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findFreePort } from "../../scripts/lib/ports.ts";
import { wasTaken, type Stories } from "../builders/delivery-recorder.ts";
import { canReadProcesses } from "../harness/proc.ts";
import {
  attemptedAfter,
  earlyAttempts,
  isBalanced,
  outOfOrder,
  renamed,
  unexplainedRepeats,
  wrongBooks,
} from "./delivery-checks.ts";
import { BROKEN_ROW, IN_FLIGHT_MAX, MAX_ATTEMPTS, POISON, ROWS, STEP_MS, type Row } from "./delivery-rows.ts";
import { runDelivery, type DeliveryRun } from "./delivery-run.ts";
import { LANE_TIMEOUT_MS } from "./delivery-sidelines.ts";

/** Fewer would leave a publisher without its poison; 10,000 take several minutes on two cores. */
const EVENTS = Number(process.env["DELIVERY_EVENTS"] ?? 440);
const SEED = Number(process.env["DELIVERY_SEED"] ?? Math.trunc(Math.random() * 1_000_000));

describe.skipIf(!canReadProcesses)(`three kill -9 while ${ROWS.length} subscriptions deliver ${EVENTS} events`, () => {
  const persistTo = mkdtempSync(join(tmpdir(), "tidings-delivery-"));
  let run: DeliveryRun;
  const storiesOf = ({ name }: Row): Stories => run.recorder.storiesOf(name);

  beforeAll(
    async () => {
      console.log(`DELIVERY_SEED=${SEED}`);
      const killsAt = [0.25, 0.5, 0.75].map((share) => Math.round(EVENTS * share));
      run = await runDelivery({ seed: SEED, port: await findFreePort(), persistTo, events: EVENTS, killsAt });
      console.log(
        JSON.stringify({ ...run.figures, rows: Object.fromEntries(ROWS.map((row) => [row.name, tell(row)])) }),
      );
    },
    300_000 + EVENTS * 60,
  );

  afterAll(() => rmSync(persistTo, { recursive: true, force: true }));

  function tell(row: Row): string {
    const attempts = [...storiesOf(row).values()].flatMap((story) => story.attempts);
    const taken = attempts.filter(wasTaken).length;
    const { delivered, dead } = run.stats.get(row.name)!;
    return `${attempts.length} attempts, ${taken} taken, ${delivered} delivered, ${dead} dead`;
  }

  describe.each(ROWS)("$name", (row) => {
    it("[CRASH-6] has exact books: taken is delivered, never taken is dead, and they balance whenever asked", () => {
      const expected = new Set(run.log.filter((event) => row.matches?.(event) ?? true).map(({ id }) => id));
      expect(expected.size).toBeGreaterThan(EVENTS / 4);
      const { name } = row;
      expect(wrongBooks(expected, storiesOf(row), run.stats.get(name)!, run.dead.get(name)!)).toEqual([]);
      const samples = run.samples.get(name)!;
      expect(samples.filter((books) => !isBalanced(books))).toEqual([]);
      // A ledger that was only ever asked when it was empty would prove nothing.
      expect(samples.filter(({ owed }) => owed > 0).length).toBeGreaterThan(2);
    });

    it("[CRASH-9] repeats what was taken only where the hub may not have heard of it, under the same id", () => {
      expect(unexplainedRepeats(storiesOf(row), run.outages, IN_FLIGHT_MAX)).toEqual([]);
      if (row.isBatched !== true) expect(renamed(storiesOf(row))).toEqual([]);
    });

    it("[CRASH-10] is tried again never before four fifths of its step, nor before a busy target wants it", () => {
      expect(earlyAttempts(storiesOf(row), [STEP_MS])).toEqual([]);
    });

    it("[CRASH-12] gives poison all its attempts, and then up", () => {
      const dead = run.dead.get(row.name)!;
      // A lease that was given while the plug was pulled is an attempt that no worker has heard of.
      const unheard = row.by === "pull" ? run.outages.length : 0;
      for (const id of POISON) {
        expect(dead).toContain(id);
        expect(storiesOf(row).get(id)!.attempts.length).toBeGreaterThanOrEqual(MAX_ATTEMPTS - unheard);
      }
      if (row.name !== BROKEN_ROW) expect(dead.length).toBe(POISON.size);
    });
  });

  it.each(ROWS.filter(({ lane }) => lane !== undefined))(
    "[CRASH-7] $name is taken for the first time in the order of the log",
    (row) => expect(outOfOrder(storiesOf(row), row.lane!)).toEqual([]),
  );

  it("[CRASH-8] is through with every other key while one fails for ever, and late by one dispatch at most", () => {
    expect(run.brokenTaken).toBe(0);
    const { calmMs, othersMs, hungAttempts } = run.lane;
    expect(hungAttempts).toBeGreaterThan(0);
    expect(Math.max(...othersMs)).toBeLessThan(2 * Math.max(...calmMs) + LANE_TIMEOUT_MS);
  });

  it("[CRASH-11] attempts nothing after a 410 or a pause, through every restart", () => {
    const { recorder, endings } = run;
    expect(attemptedAfter(recorder.storiesOf("gone"), endings.goneAt)).toEqual([]);
    expect(attemptedAfter(recorder.storiesOf("paused"), endings.pausedAt)).toEqual([]);
    expect(recorder.storiesOf("gone").size).toBe(1);
  });
});
