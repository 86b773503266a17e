/** An open socket keeps the principal of its upgrade for days; what its app and key may have can change meanwhile. */
import { ROOT_TOKEN_KEY, type Principal } from "../../core/principal.ts";
import type { Env } from "../../env.ts";
import { findAppById } from "../app-directory.ts";
import { hearOfChanges } from "./access-changes.ts";
import { findKey } from "./key-directory.ts";

/**
 * The principal with the quotas of now, as a request would have them. An app or a key that is gone changes nothing
 * here: the hub ends its sockets by itself.
 */
export async function withCurrentQuotas(
  env: Env,
  ctx: Pick<ExecutionContext, "waitUntil">,
  principal: Principal,
): Promise<Principal> {
  await hearOfChanges(env, ctx);
  if (principal.kind === "root" || principal.key === ROOT_TOKEN_KEY) {
    const app = await findAppById(env.DB, principal.app);
    return app === null ? principal : { ...principal, quotas: app.quotas };
  }
  const key = await findKey({ env }, principal.key);
  return key === null ? principal : { ...principal, quotas: key.app.quotas, keyQuotas: key.quotas };
}
