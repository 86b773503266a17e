/** Whether the hub delivers to a target that a request names, before anything is stored. */
import { unreachable } from "../core/assert.ts";
import { allows } from "../core/principal.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { askConsent } from "../delivery/handshake.ts";
import { judgeTarget } from "../delivery/judge-target.ts";
import { findListener } from "../delivery/listener-registry.ts";
import { findConsumer } from "../delivery/worker-target.ts";
import { ApiKeysStore } from "../store/api-keys-store.ts";
import { SubscriptionsStore } from "../store/subscriptions-store.ts";
import type { TargetRequest } from "../wire/native/target-definition.ts";
import type { HubContext } from "./context.ts";

/**
 * `name` is the subscription's. Fails with `listener_not_found`, `target_address_refused`, `handshake_refused`,
 * `worker_not_found`, `subscription_invalid` for a key that signs no webhooks, or `scope_missing` where its maker may
 * not publish into the topic.
 */
export async function checkTarget(c: HubContext, name: string, target: TargetRequest): Promise<Result<null>> {
  switch (target.kind) {
    case "webhook":
      return checkWebhook(c, name, target);
    case "listener":
      return findListener(target.name) === null ? fail("listener_not_found") : ok(null);
    case "worker":
      return findConsumer(c.env, target.binding) === null ? fail("worker_not_found") : ok(null);
    case "topic":
      return allows(c.var.principal, "publish", target.topic) ? ok(null) : fail("scope_missing");
    case "pusher":
      return checkPusher(c, target);
    case "pull":
      return ok(null);
    default:
      return unreachable(target);
  }
}

/** The same whether the key is another app's, not for Pusher, or not there. */
async function checkPusher(
  c: HubContext,
  { url, key }: Extract<TargetRequest, { kind: "pusher" }>,
): Promise<Result<null>> {
  const judged = await judgeTarget(url, c.var.config, new URL(c.req.url).hostname);
  if (judged.kind === "refused") return { ok: false, failure: judged.failure };
  const record = await new ApiKeysStore(c.env.DB).find(key);
  const isOwn = record?.app.id === c.var.principal.app && record.pusherSecret !== null;
  const detail = "This is no key of the app that was made for Pusher.";
  return isOwn ? ok(null) : fail("subscription_invalid", detail, { errors: [{ pointer: "/target/key", detail }] });
}

type WebhookRequest = Extract<TargetRequest, { kind: "webhook" }>;

async function checkWebhook(c: HubContext, name: string, target: WebhookRequest): Promise<Result<null>> {
  const hubHost = new URL(c.req.url).hostname;
  const judged = await judgeTarget(target.url, c.var.config, hubHost);
  if (judged.kind === "refused") return { ok: false, failure: judged.failure };
  if (target.handshake !== true || (await hasConsented(c, name, target.url, hubHost))) return ok(null);
  if (judged.kind === "unresolved") return fail("handshake_refused", "The endpoint's name could not be looked up.");
  return (await askConsent(judged.url, hubHost)) ? ok(null) : fail("handshake_refused");
}

/** What it consented to before stands: a PUT that changes something else does not ask again. */
async function hasConsented(c: HubContext, name: string, url: string, hubHost: string): Promise<boolean> {
  const record = await new SubscriptionsStore(c.env.DB).find(c.var.principal.app, name);
  const target = record?.definition.target;
  return target?.kind === "webhook" && target.url === url && target.consentedTo === hubHost;
}
