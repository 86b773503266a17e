/** Events of a subscription that publishes wait for: their own publish may deliver them before the queue does. */
import { LIMITS } from "../../core/limits.ts";
import type { DispatchMessage } from "../../queues/messages.ts";
import type { Ledger } from "./ledger.ts";

/** Whether the queue is not rung yet. What is behind is not held: its publish has long gone. */
export const isHeldForPublisher = ({ definition }: Ledger, isLevel: boolean): boolean =>
  definition?.mode === "sync" && isLevel;

/**
 * In the transaction that opened them. Keeps the messages back for as long as a publish needs to come; the alarm rings
 * what none came for, and so does nobody wait for one that died.
 */
export function holdForPublisher(
  ledger: Ledger,
  messages: readonly DispatchMessage[],
  isLevel: boolean,
  now: number,
): DispatchMessage[] {
  if (!isHeldForPublisher(ledger, isLevel)) return [...messages];
  for (const { dispatch: id } of messages) {
    const dispatch = ledger.dispatches.get(id);
    if (dispatch !== null) ledger.dispatches.update({ ...dispatch, ringAt: now + LIMITS.SYNC_HOLD_MS });
  }
  return [];
}
