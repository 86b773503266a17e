import { LIMITS } from "./core/limits.ts";
import type { Env } from "./env.ts";

/** The environment's strings, read once. */
export interface Config {
  /** Null: nobody has set the secret yet, and the hub is closed. */
  readonly rootKey: string | null;
  /** What secrets at rest are sealed under beside the root key: the first seals, all of them open. */
  readonly secretsKeys: readonly string[];
  readonly allowPrivateTargets: boolean;
  /** Where names of targets are looked up before they are called; null: nowhere. */
  readonly resolverUrl: string | null;
  /** Sockets of one hub; the next one goes to another. */
  readonly hubSocketsPlan: number;
  /** A member of a presence channel that is silent for so long, milliseconds, is gone. */
  readonly presenceSilenceMs: number;
}

type Settings = Pick<
  Env,
  | "ROOT_KEY"
  | "SECRETS_KEY"
  | "ALLOW_PRIVATE_TARGETS"
  | "DNS_OVER_HTTPS_URL"
  | "HUB_SOCKETS_PLAN"
  | "PRESENCE_SILENCE_MS"
>;

const RESOLVER_URL_DEFAULT = "https://cloudflare-dns.com/dns-query";

export function readConfig(env: Settings): Config {
  const { ROOT_KEY: rootKey = "", SECRETS_KEY: secretsKey = "" } = env;
  const { ALLOW_PRIVATE_TARGETS: allowed = "0", DNS_OVER_HTTPS_URL: resolver = RESOLVER_URL_DEFAULT } = env;
  if (allowed !== "0" && allowed !== "1") throw new Error(`ALLOW_PRIVATE_TARGETS is "0" or "1", not "${allowed}"`);
  const hubSocketsPlan = Number(env.HUB_SOCKETS_PLAN ?? LIMITS.HUB_SOCKETS_DEFAULT);
  if (!Number.isInteger(hubSocketsPlan) || hubSocketsPlan < 1) throw new Error("HUB_SOCKETS_PLAN is a whole number");
  const presenceSilenceMs = Number(env.PRESENCE_SILENCE_MS ?? LIMITS.PRESENCE_SILENCE_MS);
  if (!Number.isInteger(presenceSilenceMs) || presenceSilenceMs < 100)
    throw new Error("PRESENCE_SILENCE_MS is a whole number of milliseconds, at least 100");
  if (resolver !== "" && !/^https?:\/\//.test(resolver)) throw new Error("DNS_OVER_HTTPS_URL is an address or empty");
  return {
    rootKey: rootKey === "" ? null : rootKey,
    secretsKeys: secretsKey.split(",").filter((key) => key !== ""),
    allowPrivateTargets: allowed === "1",
    resolverUrl: resolver === "" ? null : resolver,
    hubSocketsPlan,
    presenceSilenceMs,
  };
}
