/** One attempt at an endpoint that expects Pusher's webhooks, signed with the secret that the key has then. */
import type { AttemptOutcome } from "../core/delivery-decision.ts";
import type { Target } from "../core/subscription.ts";
import type { Env } from "../env.ts";
import { hmacHex, pusherSecretsOf } from "../pusher-secrets.ts";
import { ApiKeysStore } from "../store/api-keys-store.ts";
import { formatWebhook, WEBHOOK_TYPE } from "../wire/pusher/webhook.ts";
import type { AttemptRequest } from "./attempt-request.ts";
import { failed, postTo, readOutcome, USER_AGENT } from "./webhook.ts";

type PusherTarget = Extract<Target, { kind: "pusher" }>;

/** What Pusher has no webhook for is taken as delivered: the endpoint would not know what to do with it. */
export async function attemptPusherWebhook(
  env: Env,
  { url, key }: PusherTarget,
  { definition, line }: AttemptRequest,
): Promise<AttemptOutcome> {
  const now = Date.now();
  const body = formatWebhook(line, now);
  if (body === null) return { kind: "accepted", status: 204 };
  const secret = await newestSecret(env, definition.app, key, now);
  if (secret === null)
    return failed("secret_unreadable", "The key is gone, or no key of SECRETS_KEY opens its secret.");
  const headers = {
    "content-type": WEBHOOK_TYPE,
    "user-agent": USER_AGENT,
    "x-pusher-key": key,
    "x-pusher-signature": hmacHex(secret, body),
  };
  return postTo(env, url, definition.timeoutMs, headers, body, readOutcome);
}

/** Null when there is none: the key was revoked, or has become another app's. */
async function newestSecret(env: Env, app: string, keyId: string, now: number): Promise<string | null> {
  const record = await new ApiKeysStore(env.DB).find(keyId);
  if (record === null || record.app.id !== app) return null;
  const [newest] = await pusherSecretsOf(env, record, now);
  return newest?.secret ?? null;
}
