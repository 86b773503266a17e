/** The platform's dead-letter queue: messages that could not even be claimed. Nothing ends where nobody reads. */
import type { Env } from "../env.ts";
import { logStage } from "../observability/log.ts";
import { subscription } from "../stubs.ts";
import { parseDispatchMessage } from "./messages.ts";

const RING_AGAIN_SECONDS = 30;

export async function consumeDeadLetters(batch: MessageBatch, env: Env, _ctx: ExecutionContext): Promise<void> {
  await Promise.all(batch.messages.map((message) => ringLedger(message, env)));
}

/** Acknowledged once the ledger's alarm stands: the dispatch's row is the copy that counts, and it is rung again. */
async function ringLedger(message: Message, env: Env): Promise<void> {
  const dispatch = parseDispatchMessage(message.body);
  if (dispatch === null) {
    logStage("dispatch.dead_lettered", { message: message.id, reason: "a version that this code does not know" });
    message.ack();
    return;
  }
  const { app, subscription: id } = dispatch;
  try {
    await subscription(env, app, id).ring(dispatch.dispatch);
    logStage("dispatch.dead_lettered", {
      app,
      subscription: id,
      dispatch: dispatch.dispatch,
      reason: "it could not be claimed",
    });
    message.ack();
  } catch {
    message.retry({ delaySeconds: RING_AGAIN_SECONDS });
  }
}
