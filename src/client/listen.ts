/** A subscription as calls of one listener. */
import { TidingsError } from "./client-error.ts";
import type { AnyDefinition, HubEvent } from "./event-definition.ts";
import type { Gap } from "./messages.ts";
import type { Item, SubscribeOptions, Subscription } from "./subscription.ts";

export interface OnOptions extends SubscribeOptions {
  /** Something is gone for good. */
  readonly gap?: ((gap: Gap) => void) | undefined;
  /** What ends the subscription, and events whose data does not fit. Without it they go to the hub's `onError`. */
  readonly error?: ((error: TidingsError) => void) | undefined;
}

/** Until the subscription ends. What the listener throws is its program's own: it goes where uncaught errors go. */
export async function listen(
  subscription: Subscription<AnyDefinition>,
  type: string,
  listener: (event: HubEvent) => unknown,
  { gap, error }: OnOptions,
): Promise<void> {
  const tell = (item: Item<AnyDefinition>): unknown => {
    if (item.kind === "gap") return gap?.(item.gap);
    if (item.kind === "state" || item.event.type !== type) return undefined;
    if (item.kind === "event") return listener(item.event);
    const detail = `An event of type ${type} does not fit its definition.`;
    return error?.(new TidingsError("data_invalid", { detail, issues: item.issues }));
  };
  try {
    for await (const item of subscription) {
      try {
        await tell(item);
      } catch (thrown) {
        queueMicrotask(() => {
          throw thrown;
        });
      }
    }
  } catch (ended) {
    error?.(ended as TidingsError);
  }
}
