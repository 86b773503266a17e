/** One call of a command's handler, in this Worker or in another. */
import { answerCommand } from "../client/command-handler.ts";
import type { CommandTarget } from "../core/command.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import { readCommandAnswer, type CommandAnswer, type CommandCall } from "../wire/native/command-call.ts";
import { isTimeout, untilAborted } from "./deadline.ts";
import { findCommandHandler } from "./listener-registry.ts";
import { findConsumer } from "./worker-target.ts";

interface CommandBinding {
  command(call: CommandCall): Promise<unknown>;
}

/**
 * Fails with `command_failed`, whatever is wrong with the handler. What it threw stands in the log and not in the
 * failure: it is for the owner and not for who sent the command.
 */
export async function callHandler(
  env: Env,
  target: CommandTarget,
  call: CommandCall,
  timeoutMs: number,
): Promise<Result<CommandAnswer>> {
  const ask = findHandler(env, target);
  if (ask === null) return fail("command_failed", "The hub was deployed without the command's handler.");
  if (timeoutMs <= 0) return fail("command_failed", TOO_LATE);
  try {
    const answer = readCommandAnswer(await untilAborted(ask(call), AbortSignal.timeout(timeoutMs)));
    return answer === null ? fail("command_failed", "What the handler answered is no decision.") : ok(answer);
  } catch (error) {
    if (isTimeout(error)) return fail("command_failed", TOO_LATE);
    const { app, command } = call;
    logStage("command.handler_threw", { app, command, error: String(error).slice(0, EXCERPT_CHARS) });
    return fail("command_failed", "The handler threw.");
  }
}

export const TOO_LATE = "The handler did not answer in time.";
const EXCERPT_CHARS = 1_000;

function findHandler(env: Env, target: CommandTarget): ((call: CommandCall) => Promise<unknown>) | null {
  if (target.kind === "listener") {
    const handler = findCommandHandler(target.name);
    return handler && ((call) => answerCommand(handler, call, { db: env.DB }));
  }
  const binding = findConsumer(env, target.binding) as CommandBinding | null;
  return binding && ((call) => binding.command(call));
}
