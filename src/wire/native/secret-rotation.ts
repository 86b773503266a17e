/** `POST /v1/subscriptions/{name}/secret/rotate`, and what is shown of a webhook's signatures: never a secret. */
import { stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Result } from "../../core/result.ts";
import type { Target } from "../../core/subscription.ts";
import { previousUntil } from "../../core/webhook-secrets.ts";
import { decodeWebhookSecret } from "../../core/webhook-signature.ts";
import { DefinitionReader, parseDefinition } from "./definition-reader.ts";

export interface SecretRotationRequest {
  /** For so long the secrets before go on signing beside the new one, in milliseconds. */
  readonly overlapMs: number;
  /** `whsec_…`; null lets the hub mint one. */
  readonly secret: string | null;
}

export function parseSecretRotation(text: string): Result<SecretRotationRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", ["overlap", "secret"]);
  const overlapMs = reader.durationMs(given.get("overlap"), "/overlap", { min: 0, max: LIMITS.SECRET_OVERLAP_MS_MAX });
  const secret = readWebhookSecret(reader, given.get("secret"), "/secret");
  return reader.finish("subscription_invalid", () => ({
    overlapMs: overlapMs ?? LIMITS.SECRET_OVERLAP_MS_DEFAULT,
    secret,
  }));
}

/** Null when there is none, or the reader has refused it. */
export function readWebhookSecret(reader: DefinitionReader, raw: string | undefined, pointer: string): string | null {
  if (raw === undefined) return null;
  const secret = stringOf(raw) ?? "";
  if (decodeWebhookSecret(secret) !== null) return secret;
  reader.refuse(pointer, "A secret is whsec_ and the base64 of 24 to 64 bytes.");
  return null;
}

export interface SignatureView {
  /** `whpk_…`, where deliveries are signed with a key pair. */
  readonly publicKey?: string;
  /** While secrets from before a rotation sign as well: until when. */
  readonly previousUntil?: string;
}

/** `now` in milliseconds since 1970. */
export function formatSignature(target: Target, now: number): SignatureView {
  if (target.kind !== "webhook") return {};
  const until = previousUntil(target, now);
  return {
    ...(target.signingKey !== undefined && { publicKey: target.signingKey.publicKey }),
    ...(until !== null && { previousUntil: new Date(until).toISOString() }),
  };
}
