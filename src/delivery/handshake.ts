/**
 * CloudEvents "HTTP 1.1 Web Hooks" 1.0, §4: before a first delivery the endpoint is asked whether it wants to hear from
 * this hub. It consents by naming the hub, or everybody; the status of its answer says nothing.
 */
import { LIMITS } from "../core/limits.ts";
import { USER_AGENT } from "./webhook.ts";

/** `hubHost` is the DNS name by which the hub is known. An endpoint that does not answer in time has not consented. */
export async function askConsent(url: URL, hubHost: string): Promise<boolean> {
  const signal = AbortSignal.timeout(LIMITS.HANDSHAKE_MS_MAX);
  const headers = { "webhook-request-origin": hubHost, "user-agent": USER_AGENT };
  try {
    const response = await fetch(url, { method: "OPTIONS", headers, redirect: "manual", signal });
    await response.body?.cancel().catch(() => undefined);
    const allowed = response.headers.get("webhook-allowed-origin")?.trim().toLowerCase();
    return allowed === "*" || allowed === hubHost.toLowerCase();
  } catch {
    return false;
  }
}
