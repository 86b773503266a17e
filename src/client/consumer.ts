/**
 * For Workers that consume a hub's events by service binding (`target: { kind: "worker" }`):
 *
 *     export default defineConsumer<Order>({
 *       deliver: (deliveries) => deliveries.map((delivery) => delivered(delivery)),
 *     });
 *
 * The hub's wrangler.toml names that Worker under a binding `CONSUMER_…`. Deliveries come at least once; each brings an
 * id that stays the same.
 */
import { WorkerEntrypoint } from "cloudflare:workers";
import type { CommandAnswer, CommandCall } from "../wire/native/command-call.ts";
import type { Delivery, DeliveryBatch, DeliveryOutcome } from "../wire/native/worker-batch.ts";
import { answerCommand, type CommandHandler } from "./command-handler.ts";

export type { Delivery, DeliveryBatch, DeliveryOutcome };

export interface ConsumerContext<Env> {
  /** The id of the app whose event it is. */
  readonly app: string;
  /** The subscription's name. */
  readonly subscription: string;
  readonly env: Env;
  readonly ctx: ExecutionContext;
}

export interface Consumer<Data, Env> {
  /**
   * Answers with an outcome for each delivery; one without is tried again. What it throws, or an answer after the
   * subscription's timeout, fails all of them.
   */
  deliver(
    deliveries: readonly Delivery<Data>[],
    context: ConsumerContext<Env>,
  ): readonly DeliveryOutcome[] | Promise<readonly DeliveryOutcome[]>;
}

/** A class for the Worker to export: as its default, or by a name that the binding's `entrypoint` says. */
export const defineConsumer = <Data = unknown, Env = unknown>(consumer: Consumer<Data, Env>) =>
  class extends WorkerEntrypoint<Env> {
    async deliver({ app, subscription, deliveries }: DeliveryBatch<Data>): Promise<readonly DeliveryOutcome[]> {
      return consumer.deliver(deliveries, { app, subscription, env: this.env, ctx: this.ctx });
    }
  };

/**
 * Likewise for a Worker that decides commands (`"target": { "kind": "worker", "binding": "CONSUMER_…" }`), each by the
 * handler whose name is the command's on the hub.
 */
export const defineCommands = <Env = unknown>(...handlers: readonly CommandHandler<unknown, unknown, Env>[]) =>
  class extends WorkerEntrypoint<Env> {
    async command(call: CommandCall): Promise<CommandAnswer> {
      const handler = handlers.find(({ name }) => name === call.command);
      if (handler === undefined) throw new Error(`there is no handler of the command ${call.command} here`);
      return answerCommand(handler as CommandHandler, call, this.env);
    }
  };

export const delivered = ({ id }: Pick<Delivery, "id">): DeliveryOutcome => ({ id, outcome: "delivered" });

/** Again after `delayMs`; without it, by the subscription's schedule. Costs one of its attempts. */
export const retry = (
  { id }: Pick<Delivery, "id">,
  more: { readonly delayMs?: number; readonly reason?: string } = {},
): DeliveryOutcome => ({ id, outcome: "retry", ...more });

/** A dead letter at once: no later attempt would do better. */
export const reject = ({ id }: Pick<Delivery, "id">, reason: string): DeliveryOutcome => ({
  id,
  outcome: "reject",
  reason,
});
