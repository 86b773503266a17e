/** One attempt at a listener in this Worker. */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import { effectKey } from "../core/keys.ts";
import type { Env } from "../env.ts";
import { applyOnce, isApplied } from "../store/effects-store.ts";
import type { AttemptRequest } from "./attempt-request.ts";
import { BufferedCache } from "./buffered-cache.ts";
import { isTimeout, untilAborted } from "./deadline.ts";
import type { ListenerContext, ListenerEvent } from "./define-listener.ts";
import { findListener } from "./listener-registry.ts";

/** An event whose effects stand already is accepted without being handled again; the batch decides when two race. */
export async function attemptListener(env: Env, name: string, request: AttemptRequest): Promise<AttemptOutcome> {
  const listener = findListener(name);
  if (listener === null) return threw(`the hub was built without a listener named "${name}"`);
  const { definition, delivery, line } = request;
  const key = effectKey(delivery.topic, delivery.partition, delivery.epoch, delivery.offset);
  try {
    if (await isApplied(env.DB, definition.id, key)) return ACCEPTED;
    const signal = AbortSignal.timeout(definition.timeoutMs);
    const cache = new BufferedCache(env.DB, definition.app);
    const context: ListenerContext = {
      app: definition.app,
      subscription: definition.name,
      subscriptionId: definition.id,
      deliveryId: delivery.id,
      attempt: delivery.attempt,
      redrive: delivery.redrive,
      db: env.DB,
      cache,
      signal,
    };
    const handled = (async () => listener.handle(JSON.parse(line) as ListenerEvent, context))();
    const returned = await untilAborted(handled, signal);
    const effects = [...(returned ?? []), ...cache.writes];
    if (effects.length > 0) await applyOnce(env.DB, definition.id, key, effects, Date.now());
    return ACCEPTED;
  } catch (error) {
    if (isTimeout(error)) return { kind: "unreachable", reason: "timeout", excerpt: "" };
    return threw(error instanceof Error ? error.message : String(error));
  }
}

const ACCEPTED: AttemptOutcome = { kind: "accepted", status: 200 };
const EXCERPT_CHARS = 1_000;

const threw = (message: string): AttemptOutcome => ({
  kind: "unreachable",
  reason: "listener_threw",
  excerpt: message.slice(0, EXCERPT_CHARS),
});
