import type { Env } from "./env.ts";

/** The environment's strings, read once. */
export interface Config {
  /** Null: nobody has set the secret yet, and the hub is closed. */
  readonly rootKey: string | null;
  readonly allowPrivateTargets: boolean;
}

export function readConfig(env: Pick<Env, "ROOT_KEY" | "ALLOW_PRIVATE_TARGETS">): Config {
  const { ROOT_KEY: rootKey = "", ALLOW_PRIVATE_TARGETS: allowed = "0" } = env;
  if (allowed !== "0" && allowed !== "1") throw new Error(`ALLOW_PRIVATE_TARGETS is "0" or "1", not "${allowed}"`);
  return { rootKey: rootKey === "" ? null : rootKey, allowPrivateTargets: allowed === "1" };
}
