/** What is put together from objects: an answer without one of them would be a wrong one, so then there is none. */
import type { Failure } from "../core/errors.ts";
import type { Result } from "../core/result.ts";
import { logStage } from "../observability/log.ts";
import { count } from "../observability/meter.ts";
import { problem } from "./respond.ts";

/** What `ask` answers. Where it rejects, an object could not be reached: as good as one with too much to do. */
export async function reach<Value>(ask: () => Promise<Result<Value>>): Promise<Result<Value>> {
  try {
    return await ask();
  } catch (error) {
    return { ok: false, failure: unreached(error as Error) };
  }
}

/** Likewise for a group of routes all of which ask objects: what a handler rejects with. */
export const answerUnreached = (error: Error): Response => problem(unreached(error));

function unreached(error: Error): Failure {
  logStage("objects.unreached", { error: String(error) });
  const failure = failureOf(error);
  return failure.code === "internal_error" && !isMistake(error) ? OVERLOADED : failure;
}

/**
 * The language's own errors are mistakes of the hub's code, here or in the object: to come again is no help. But for
 * a method that is not there yet: for minutes after a deploy objects may run the code before it.
 */
const isMistake = (error: Error): boolean =>
  [TypeError, RangeError, ReferenceError, SyntaxError].some((kind) => error instanceof kind) &&
  !error.message.includes("does not implement the method");

const OVERLOADED: Failure = { code: "hub_overloaded", retryAfterSeconds: 1 };

/** What an error of the platform says to who asks; `internal_error` of all others. */
export function failureOf(error: Error): Failure {
  const isOfDatabase = error.message.startsWith("D1_ERROR");
  count("tidings_errors_total", { source: isOfDatabase ? "d1" : "object" });
  if ((error as { overloaded?: boolean }).overloaded === true) return { code: "hub_overloaded" };
  // Between a first deploy and its migration the tables are not there.
  if (error.message.includes("no such table"))
    return { code: "not_configured", detail: "The database is not migrated." };
  if (isOfDatabase || isPassing(error)) return OVERLOADED;
  return { code: "internal_error" };
}

/**
 * The object was reset under the call, or its connection was lost: another one is there at once
 * (Durable Objects, "Error handling": `retryable`, `durableObjectReset`).
 */
function isPassing(error: Error): boolean {
  const { retryable, durableObjectReset } = error as { retryable?: boolean; durableObjectReset?: boolean };
  return retryable === true || durableObjectReset === true;
}
