/**
 * Cron expressions by croner, which is only asked: it is given no function, so it sets no timer. Its rules for days on
 * which clocks change are ours: a fixed time of day comes once, at the end of the gap if it falls into one, and the
 * first time if it comes twice; what comes every so many minutes or seconds goes by the time that passes.
 */
import { Cron } from "croner";
import type { Occurrences } from "../../core/cron-schedule.ts";
import { fail, ok, type Result } from "../../core/result.ts";

const SECOND_MS = 1_000;

/** Fails with `schedule_invalid`, and says of what: the expression or the time zone. */
export function cronOccurrences(cron: string, timeZone: string): Result<Occurrences> {
  if (!isTimeZone(timeZone)) return refuse("/timeZone", "That is no time zone of the IANA database.");
  const fields = cron.split(" ").length;
  if (fields !== 5 && fields !== 6) return refuse("/cron", "A cron expression has five fields, or six with seconds.");
  const parsed = parse(cron, timeZone);
  return parsed === null ? refuse("/cron", "A field of this expression is wrong.") : ok(parsed);
}

function parse(cron: string, timezone: string): Occurrences | null {
  let expression: Cron;
  try {
    expression = new Cron(cron, { timezone, paused: true });
  } catch {
    return null; // Its message repeats what was sent.
  }
  return {
    after: (at) => expression.nextRun(new Date(at))?.getTime() ?? null,
    lastThrough: (at) => {
      // What it finds lies before the second that it is given.
      const found = expression.previousRuns(2, new Date(at + SECOND_MS)).map((run) => run.getTime());
      return found.find((run) => run <= at) ?? null;
    },
  };
}

/** Names only: what is an offset from UTC (`+01:00`) never has a change of clocks. */
function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

const refuse = (pointer: string, detail: string): Result<never> =>
  fail("schedule_invalid", detail, { errors: [{ pointer, detail }] });
