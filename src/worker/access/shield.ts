/**
 * In front of D1: whoever shows ever new credentials is stopped by the platform's own counter, which is local, generous
 * and not exact. What the isolate knows already passes by it, so that it slows nobody who is let in.
 */
import { customerOf } from "../../core/ip-address.ts";
import type { Env } from "../../env.ts";

/** Whether this client (an address, or a socket) may have another credential looked up; without the binding it may. */
export async function passesShield(env: Pick<Env, "SHIELD">, client: string): Promise<boolean> {
  return env.SHIELD === undefined || (await env.SHIELD.limit({ key: customerOf(client) })).success;
}
