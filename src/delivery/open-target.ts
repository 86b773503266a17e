/** A webhook's secrets in plain, for as long as an attempt needs them. The only place where they are opened. */
import { readConfig } from "../config.ts";
import { webhookHeaderContext, webhookSecretContext } from "../core/keys.ts";
import type { Target } from "../core/subscription.ts";
import type { Env } from "../env.ts";
import { keyringOf, openSecret, type Keyring } from "../sealing.ts";

export interface OpenedTarget {
  readonly secret: string;
  readonly headers: Readonly<Record<string, string>>;
}

type WebhookTarget = Extract<Target, { kind: "webhook" }>;

/** Null when no key of the environment opens one of them: a key was taken out of SECRETS_KEY too early. */
export async function openTarget(
  env: Env,
  subscriptionId: string,
  target: WebhookTarget,
): Promise<OpenedTarget | null> {
  const keyring = keyringOf(readConfig(env));
  const secret = await open(keyring, webhookSecretContext(subscriptionId), target.secret);
  const headers: [name: string, value: string][] = [];
  for (const [name, sealed] of Object.entries(target.headers)) {
    const value = await open(keyring, webhookHeaderContext(subscriptionId, name), sealed);
    if (value === null) return null;
    headers.push([name, value]);
  }
  return secret === null ? null : { secret, headers: Object.fromEntries(headers) };
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
