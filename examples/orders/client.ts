/** The shop's end of the command: it is sent once, however often the button is pressed. */
import { HubRefused, type HubConnection, type Receipt } from "./hub.ts";

export type Placed =
  { readonly status: "accepted"; readonly receipt: Receipt } | { readonly status: "rejected"; readonly reason: string };

interface Outcome {
  readonly status: "accepted" | "rejected";
  readonly events: readonly Receipt[];
  readonly reason?: string;
}

/** The order's id is the Idempotency-Key, so a lost answer may be asked for again: there is one order. */
export async function sendPlaceOrder(hub: HubConnection, command: unknown): Promise<Placed> {
  const key = String((command as { orderId?: unknown } | null)?.orderId ?? "");
  if (!/^[\x21-\x7e]{1,64}$/.test(key))
    return { status: "rejected", reason: "orderId is 3 to 64 letters, digits and dashes." };
  const headers = { "idempotency-key": `place-${key}` };
  try {
    const { body, replayed } = await hub.ask<Outcome>(
      "POST",
      "/v1/commands/place-order",
      { payload: command, key },
      headers,
    );
    if (body.status === "rejected") return { status: "rejected", reason: body.reason ?? "" };
    const [receipt] = body.events;
    return { status: "accepted", receipt: { ...receipt!, duplicate: replayed || receipt!.duplicate } };
  } catch (error) {
    // Under the same id with other contents: to the hub that is another request under one key.
    if (error instanceof HubRefused && error.code === "idempotency_key_reused")
      return { status: "rejected", reason: `There is an order ${key} already.` };
    throw error;
  }
}
