/** A webhook's next secret: the ones before it go on signing beside it, until receivers know the new one. */
import { fail, ok, type Result } from "../core/result.ts";
import type { SubscriptionDefinition } from "../core/subscription.ts";
import { previousUntil, rotateSecrets } from "../core/webhook-secrets.ts";
import { keyringOf } from "../sealing.ts";
import type { SecretRotationRequest } from "../wire/native/secret-rotation.ts";
import type { HubContext } from "./context.ts";
import { findSubscription } from "./subscription-lookup.ts";
import { sealFreshSecrets } from "./target-secrets.ts";
import { replaceSubscription } from "./write-subscription.ts";

export interface RotatedSecret {
  readonly definition: SubscriptionDefinition;
  /** In plain, shown this once; null where deliveries are signed with a key pair only. */
  readonly secret: string | null;
  readonly publicKey: string | null;
  /** Milliseconds since 1970; null: nothing from before signs any more. */
  readonly previousUntil: number | null;
}

/**
 * Writes over the revision that it read, and reads again when another request was first: of two rotations at once each
 * is told the secret that it made, and both are good. Fails as `findSubscription` does, with `secret_not_held`, with
 * `too_many_secrets`, and with `subscription_invalid` for a secret where only a key pair signs.
 */
export async function rotateSecret(c: HubContext, request: SecretRotationRequest): Promise<Result<RotatedSecret>> {
  for (;;) {
    const found = await findSubscription(c);
    if (!found.ok) return found;
    const { target, id, revision } = found.value;
    if (target.kind !== "webhook") return fail("secret_not_held");
    if (target.signing === "ed25519" && request.secret !== null) return notASecret();
    const fresh = await sealFreshSecrets(keyringOf(c.var.config), id, target, request.secret);
    const now = Date.now();
    const rotated = rotateSecrets(target, fresh, request.overlapMs, now);
    if (rotated === null) return fail("too_many_secrets");
    const definition = { ...found.value, revision: revision + 1, target: rotated };
    if (!(await replaceSubscription(c, "subscription.secret_rotated", found.value, definition))) continue;
    return ok({ definition, ...fresh.shown, previousUntil: previousUntil(rotated, now) });
  }
}

function notASecret(): Result<never> {
  const detail = "Deliveries of this subscription are signed with a key pair: it has no secret.";
  return fail("subscription_invalid", detail, { errors: [{ pointer: "/secret", detail }] });
}
