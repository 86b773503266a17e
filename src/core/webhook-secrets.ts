/** Which of a webhook's secrets sign, and what a rotation makes of them. They are sealed; nothing here opens one. */
import { LIMITS } from "./limits.ts";
import type { PreviousSecret, WebhookTarget } from "./subscription.ts";

/** The newest first: receivers that look at the first entry only are right as well. */
export const sealedSigners = (target: WebhookTarget, now: number): string[] => [
  ...currentSigners(target),
  ...alive(target, now).map(({ secret }) => secret),
];

/** The end of the last secret that still signs beside the current ones; null when none does. */
export function previousUntil(target: WebhookTarget, now: number): number | null {
  const ends = alive(target, now).map(({ until }) => until);
  return ends.length === 0 ? null : Math.max(...ends);
}

export interface FreshSecrets {
  /** Sealed. */
  readonly secret: string;
  readonly signingKey: WebhookTarget["signingKey"];
}

/**
 * The target with these instead. What they replace is good for `overlapMs` from now, what was replaced before for as
 * long as was promised then; an overlap of 0 ends them all. Null when more would be good at once than may be.
 */
export function rotateSecrets(
  target: WebhookTarget,
  fresh: FreshSecrets,
  overlapMs: number,
  now: number,
): WebhookTarget | null {
  const until = now + overlapMs;
  const replaced = currentSigners(target).map((secret): PreviousSecret => ({ secret, until }));
  const previousSecrets = overlapMs === 0 ? [] : [...replaced, ...alive(target, now)];
  const { signingKey: _signingKey, previousSecrets: _previous, consentedTo, ...rest } = target;
  const rotated: WebhookTarget = {
    ...rest,
    secret: fresh.secret,
    ...(fresh.signingKey !== undefined && { signingKey: fresh.signingKey }),
    previousSecrets,
    ...(consentedTo !== undefined && { consentedTo }), // In the order of a PUT: what is the same is compared as text.
  };
  return sealedSigners(rotated, now).length > LIMITS.SIGNING_KEYS_MAX ? null : rotated;
}

function currentSigners({ secret, signing = "hmac", signingKey }: WebhookTarget): string[] {
  const signers = signing === "ed25519" ? [] : [secret];
  return signing === "hmac" || signingKey === undefined ? signers : [...signers, signingKey.privateKey];
}

const alive = ({ previousSecrets = [] }: WebhookTarget, now: number): readonly PreviousSecret[] =>
  previousSecrets.filter(({ until }) => now < until);
