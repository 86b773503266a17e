/**
 * What many queries have: `limit` and `cursor` of lists whose order is by name, where the cursor is the last name seen,
 * whole numbers, and how long to wait.
 */
import { parseDurationMs } from "../core/duration.ts";
import { LIMITS } from "../core/limits.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { HubContext } from "./context.ts";

export interface ListQuery {
  readonly after: string;
  readonly limit: number;
}

/** Begins a cursor that shows no name; no name begins so. */
export const SEALED_CURSOR = "~";
const SEALED_CHARS_MAX = 400; // A name of the longest, filled up and sealed.

export function readListQuery(c: HubContext): Result<ListQuery> {
  const limit = readWhole(c, "limit", 1, LIMITS.LIST_ITEMS_MAX);
  if (!limit.ok) return limit;
  const after = c.req.query("cursor") ?? "";
  const charsMax = after.startsWith(SEALED_CURSOR) ? SEALED_CHARS_MAX : LIMITS.TOPIC_NAME_CHARS_MAX;
  if (after.length > charsMax) return fail("cursor_invalid");
  return ok({ after, limit: limit.value ?? LIMITS.LIST_ITEMS_DEFAULT });
}

/** A whole number of the query within its bounds; null where it is absent. */
export function readWhole(c: HubContext, name: string, min: number, max: number): Result<number | null> {
  const text = c.req.query(name);
  if (text === undefined) return ok(null);
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(value) && value >= min && value <= max) return ok(value);
  return fail("parameter_invalid", `${name} is a whole number from ${min} to ${max}.`, { limit: max });
}

/** How long the answer may take to come, in milliseconds; 0 where nobody says so. */
export function readWait(c: HubContext): Result<number> {
  const waitMs = parseDurationMs(c.req.query("wait") ?? "0s");
  if (waitMs !== null && waitMs <= LIMITS.WAIT_MS_MAX) return ok(waitMs);
  return fail("parameter_invalid", "wait is a duration from 0s to 30s.", { limit: LIMITS.WAIT_MS_MAX });
}
