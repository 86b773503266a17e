/** What a subscription's target keeps secret, sealed before it is stored. `delivery/open-target.ts` is the way back. */
import { HIDDEN_VALUE } from "../core/custom-headers.ts";
import { escapePointer } from "../core/json-pointer.ts";
import { webhookHeaderContext, webhookSecretContext } from "../core/keys.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { PreviousSecret, Target, WebhookTarget } from "../core/subscription.ts";
import type { FreshSecrets } from "../core/webhook-secrets.ts";
import { encodeWebhookPublicKey, encodeWebhookSecret, encodeWebhookSeed } from "../core/webhook-signature.ts";
import { publicKeyOf } from "../delivery/sign.ts";
import { isSealedByFirst, openSecret, sealSecret, type Keyring } from "../sealing.ts";
import type { TargetRequest } from "../wire/native/target-definition.ts";

export interface SealedTarget {
  readonly target: Target;
  /** Shown this once; null when the client brought its own or kept the one it has. */
  readonly mintedSecret: string | null;
}

type Headers = Readonly<Record<string, string>>;

const SECRET_BYTES = 32;

/**
 * `id` is the subscription's, `previous` what stands there already. A secret that says the same as before keeps its
 * sealed text, so that a PUT which changes nothing writes nothing new. Fails with `subscription_invalid` when a hidden
 * value is to be kept where there is none, or to be sent to another host than the one it was meant for.
 */
export async function sealTarget(
  keyring: Keyring,
  id: string,
  requested: TargetRequest,
  previous: Target | null,
): Promise<Result<SealedTarget>> {
  if (requested.kind !== "webhook") return ok({ target: requested, mintedSecret: null });
  const before = previous?.kind === "webhook" ? previous : null;
  const isSamePlace = before !== null && new URL(before.url).origin === new URL(requested.url).origin;
  const headers = await sealHeaders(keyring, id, requested.headers, isSamePlace ? before.headers : {});
  if (!headers.ok) return headers;
  const { kind, url, contentMode, signing } = requested;
  // Where a key pair alone signed, nobody was ever shown the secret: a fresh one is.
  const known = before?.signing === "ed25519" && signing !== "ed25519" ? null : before;
  const { secret, mintedSecret } = await sealWebhookSecret(keyring, id, requested.secret, known);
  const target: WebhookTarget = {
    kind,
    url,
    headers: headers.value,
    secret,
    ...(contentMode !== undefined && { contentMode }),
    ...(signing !== undefined && { signing, signingKey: await keepOrMintKey(keyring, id, before) }),
    ...(before?.previousSecrets !== undefined && {
      previousSecrets: await keepPrevious(keyring, id, before.previousSecrets),
    }),
  };
  return ok({ target, mintedSecret: signing === "ed25519" ? null : mintedSecret });
}

/** What a rotation puts in the place of what signs now, sealed, and what of it is shown. */
export async function sealFreshSecrets(
  keyring: Keyring,
  id: string,
  { signing = "hmac", secret: before }: WebhookTarget,
  requested: string | null,
): Promise<FreshSecrets & { readonly shown: { readonly secret: string | null; readonly publicKey: string | null } }> {
  const signingKey = signing === "hmac" ? undefined : await mintKey(keyring, id);
  const publicKey = signingKey?.publicKey ?? null;
  if (signing === "ed25519") return { secret: before, signingKey, shown: { secret: null, publicKey } };
  const secret = requested ?? mintSecret();
  const sealed = await sealSecret(keyring, webhookSecretContext(id), secret);
  return { secret: sealed, signingKey, shown: { secret, publicKey } };
}

type SigningKey = NonNullable<WebhookTarget["signingKey"]>;

async function keepOrMintKey(keyring: Keyring, id: string, before: WebhookTarget | null): Promise<SigningKey> {
  if (before?.signingKey === undefined) return mintKey(keyring, id);
  const { privateKey, publicKey } = before.signingKey;
  return { privateKey: await sealAgain(keyring, webhookSecretContext(id), privateKey), publicKey };
}

async function mintKey(keyring: Keyring, id: string): Promise<SigningKey> {
  const seed = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  const privateKey = await sealSecret(keyring, webhookSecretContext(id), encodeWebhookSeed(seed));
  return { privateKey, publicKey: encodeWebhookPublicKey(await publicKeyOf(seed)) };
}

const keepPrevious = (
  keyring: Keyring,
  id: string,
  previous: readonly PreviousSecret[],
): Promise<readonly PreviousSecret[]> =>
  Promise.all(
    previous.map(async ({ secret, until }) => ({
      secret: await sealAgain(keyring, webhookSecretContext(id), secret),
      until,
    })),
  );

async function sealWebhookSecret(
  keyring: Keyring,
  id: string,
  requested: string | null,
  before: WebhookTarget | null,
): Promise<{ secret: string; mintedSecret: string | null }> {
  const context = webhookSecretContext(id);
  if (requested !== null)
    return { secret: await seal(keyring, context, requested, before?.secret), mintedSecret: null };
  if (before !== null) return { secret: await sealAgain(keyring, context, before.secret), mintedSecret: null };
  const minted = mintSecret();
  return { secret: await sealSecret(keyring, context, minted), mintedSecret: minted };
}

const mintSecret = (): string => encodeWebhookSecret(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));

async function sealHeaders(
  keyring: Keyring,
  id: string,
  requested: Headers,
  before: Headers,
): Promise<Result<Headers>> {
  const sealed: [name: string, value: string][] = [];
  const beforeByName = new Map(Object.entries(before).map(([name, value]) => [name.toLowerCase(), value]));
  for (const [name, value] of Object.entries(requested)) {
    const context = webhookHeaderContext(id, name);
    const known = beforeByName.get(name.toLowerCase());
    if (value !== HIDDEN_VALUE) sealed.push([name, await seal(keyring, context, value, known)]);
    else if (known !== undefined) sealed.push([name, await sealAgain(keyring, context, known)]);
    else return nothingHidden(name);
  }
  return ok(Object.fromEntries(sealed));
}

/** The text from before, when it says the same under the key that seals now. */
async function seal(keyring: Keyring, context: string, secret: string, before: string | undefined): Promise<string> {
  const isKept =
    before !== undefined &&
    (await isSealedByFirst(keyring, before)) &&
    (await openSecret(keyring, context, before)) === secret;
  return isKept ? before : sealSecret(keyring, context, secret);
}

/** After a rotation each PUT brings its subscription under the new key; what nothing opens stays as it is. */
async function sealAgain(keyring: Keyring, context: string, before: string): Promise<string> {
  const secret = await openSecret(keyring, context, before);
  return secret === null ? before : seal(keyring, context, secret, before);
}

function nothingHidden(name: string): Result<never> {
  const detail = "There is no hidden value to keep for that host: say what the header is.";
  return fail("subscription_invalid", detail, {
    errors: [{ pointer: `/target/headers/${escapePointer(name)}`, detail }],
  });
}
