/** Half a minute is long: whose credential has ended while its request waited gets nothing more. */
import { fail, type Result } from "../../core/result.ts";
import type { HubContext } from "../context.ts";
import { hearOfChanges, revocationOf } from "./access-changes.ts";

/** Null: it holds. Failures: `credential_expired`, `credential_revoked`. */
export async function refusedMeanwhile({
  env,
  executionCtx,
  var: { principal },
}: HubContext): Promise<Result<never> | null> {
  const expiresAt = principal.kind === "root" ? null : principal.expiresAt;
  if (expiresAt !== null && expiresAt <= Date.now()) return fail("credential_expired");
  await hearOfChanges(env, executionCtx);
  return revocationOf(principal) === null ? null : fail("credential_revoked");
}
