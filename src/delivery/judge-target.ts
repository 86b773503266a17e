/**
 * Whether the hub calls an address that a user gave it: the one judgement at create, at update and before each attempt.
 * It is a filter, by spelling and by what the name stands for just now. Behind it stands the wall: on the platform
 * `fetch` reaches public addresses only (`global_fetch_strictly_public`, wrangler.toml), and no redirect is followed.
 */
import type { Config } from "../config.ts";
import type { Failure } from "../core/errors.ts";
import type { Result } from "../core/result.ts";
import { checkTargetAddress } from "../core/target-address.ts";
import { resolveHost } from "./resolver.ts";

export type TargetJudgement =
  | { readonly kind: "allowed"; readonly url: URL }
  /** Nobody could say what its name stands for. A definition is taken with it; an attempt is not made. */
  | { readonly kind: "unresolved" }
  | { readonly kind: "refused"; readonly failure: Failure };

/** `ownHost` is the name under which the hub itself was reached; null where nobody reached it. */
export async function judgeTarget(
  address: string,
  { allowPrivateTargets, resolverUrl }: Pick<Config, "allowPrivateTargets" | "resolverUrl">,
  ownHost: string | null,
): Promise<TargetJudgement> {
  const checked = checkSpelling(address, allowPrivateTargets, ownHost);
  if (!checked.ok) return { kind: "refused", failure: checked.failure };
  const url = checked.value;
  if (allowPrivateTargets || resolverUrl === null) return { kind: "allowed", url };
  switch (await resolveHost(resolverUrl, url.hostname)) {
    case "public":
      return { kind: "allowed", url };
    case "unknown":
      return { kind: "unresolved" };
    case "private":
      return { kind: "refused", failure: LEADS_INSIDE };
  }
}

/** A busy isolate calls few addresses, and each attempt would read the same text again. */
const SPELLED_MAX = 1_000;
const spelled = new Map<string, Result<URL>>();

function checkSpelling(address: string, allowPrivate: boolean, ownHost: string | null): Result<URL> {
  const place = `${allowPrivate} ${ownHost ?? ""} ${address}`; // A host has no space.
  const known = spelled.get(place);
  if (known !== undefined) return known;
  const checked = checkTargetAddress(address, allowPrivate, ownHost);
  if (spelled.size >= SPELLED_MAX) spelled.clear();
  spelled.set(place, checked);
  return checked;
}

/** Does not say which address: that would tell a stranger what is inside. */
const LEADS_INSIDE: Failure = {
  code: "target_address_refused",
  detail: "The host's name stands for an address that is not a public one.",
};
