/** A webhook's secrets in plain, for as long as an attempt needs them. The only place where they are opened. */
import { readConfig } from "../config.ts";
import { webhookHeaderContext, webhookSecretContext } from "../core/keys.ts";
import type { WebhookTarget } from "../core/subscription.ts";
import { sealedSigners } from "../core/webhook-secrets.ts";
import type { Env } from "../env.ts";
import { keyringOf, openSecret, type Keyring } from "../sealing.ts";

export interface OpenedTarget {
  /** All that sign just now, `whsec_…` and `whsk_…`, the newest first. */
  readonly secrets: readonly string[];
  readonly headers: Readonly<Record<string, string>>;
}

/** Null when no key of the environment opens one of them: a key was taken out of SECRETS_KEY too early. */
export async function openTarget(
  env: Env,
  subscriptionId: string,
  target: WebhookTarget,
  now: number,
): Promise<OpenedTarget | null> {
  const keyring = keyringOf(readConfig(env));
  const context = webhookSecretContext(subscriptionId);
  const secrets = await openAll(
    keyring,
    sealedSigners(target, now).map((sealed) => [context, sealed] as const),
  );
  const names = Object.keys(target.headers);
  const values = await openAll(
    keyring,
    names.map((name) => [webhookHeaderContext(subscriptionId, name), target.headers[name]!] as const),
  );
  if (secrets === null || values === null) return null;
  return { secrets, headers: Object.fromEntries(names.map((name, index) => [name, values[index]!])) };
}

async function openAll(
  keyring: Keyring,
  sealed: readonly (readonly [context: string, sealed: string])[],
): Promise<string[] | null> {
  const opened: string[] = [];
  for (const [context, text] of sealed) {
    const secret = await open(keyring, context, text);
    if (secret === null) return null;
    opened.push(secret);
  }
  return opened;
}

/** A busy isolate serves few targets, and each attempt would open the same texts again. */
const OPENED_MAX = 1_000;
const openedByPlace = new Map<string, string>();

async function open(keyring: Keyring, context: string, sealed: string): Promise<string | null> {
  const place = `${context} ${sealed}`;
  const known = openedByPlace.get(place);
  if (known !== undefined) return known;
  const secret = await openSecret(keyring, context, sealed);
  if (secret === null) return null;
  if (openedByPlace.size >= OPENED_MAX) openedByPlace.clear();
  openedByPlace.set(place, secret);
  return secret;
}
