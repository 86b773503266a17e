/** What a route may refuse with: its own reasons, and those that all routes of its kind share. */
import type { ErrorCode } from "../../core/errors.ts";
import type { RouteDescription } from "./route-description.ts";

const MISTAKES: readonly ErrorCode[] = ["hub_overloaded", "internal_error", "not_configured"];

const OF_CREDENTIALS: readonly ErrorCode[] = [
  "app_not_found",
  "credential_expired",
  "credential_revoked",
  "credential_too_large",
  "credentials_in_url",
  "origin_not_allowed",
  "parameter_invalid",
  "quota_exceeded",
  "quota_unavailable",
  "scope_missing",
  "token_invalid",
  "too_many_failures",
  "unauthenticated",
];

const OF_SIGNATURES: readonly ErrorCode[] = [
  "app_not_found",
  "parameter_invalid",
  "quota_exceeded",
  "quota_unavailable",
  "scope_missing",
  "signature_invalid",
  "too_many_failures",
  "unauthenticated",
];

const OF_BODIES: readonly ErrorCode[] = [
  "body_incomplete",
  "body_too_large",
  "content_type_unsupported",
  "encoding_invalid",
  "json_invalid",
  "json_too_deep",
  "json_too_many_keys",
];

const OF_REPEATS: readonly ErrorCode[] = [
  "idempotency_in_progress",
  "idempotency_key_invalid",
  "idempotency_key_reused",
  "idempotency_not_replayable",
];

/** By code, each once. */
export function problemsOf({ route, access, isRepeatable, problems }: RouteDescription): readonly ErrorCode[] {
  const ofAccess = access === "open" ? [] : access === "signed" ? OF_SIGNATURES : OF_CREDENTIALS;
  const all = [
    ...problems,
    ...(access === "open" ? [] : MISTAKES),
    ...ofAccess,
    ...(route.startsWith("GET ") ? [] : OF_BODIES),
    ...(isRepeatable ? OF_REPEATS : []),
  ];
  return [...new Set(all)].toSorted();
}
