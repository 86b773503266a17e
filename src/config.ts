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
  /** From how many events that wait on a subscription is told of, and from how old a delivery that it owes. */
  readonly lagToldEvents: number;
  readonly stalledToldMs: number;
  /** From how many bytes that the object of a partition's log takes. */
  readonly logToldBytes: number;
  /** Null: traces are exported nowhere. */
  readonly otlp: OtlpSettings | null;
}

/** Where spans go, by OTLP over HTTP. */
export interface OtlpSettings {
  /** Without `/v1/traces`, and without a slash at its end. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Which part of the publishes that bring no trace begin one, 0 to 1. */
  readonly sampleRatio: number;
}

type Settings = Pick<
  Env,
  | "ROOT_KEY"
  | "SECRETS_KEY"
  | "ALLOW_PRIVATE_TARGETS"
  | "DNS_OVER_HTTPS_URL"
  | "HUB_SOCKETS_PLAN"
  | "PRESENCE_SILENCE_MS"
  | "LAG_TOLD_EVENTS"
  | "STALLED_TOLD_MS"
  | "LOG_TOLD_BYTES"
  | "OTLP_ENDPOINT"
  | "OTLP_HEADERS"
  | "OTLP_SAMPLE_RATIO"
>;

const RESOLVER_URL_DEFAULT = "https://cloudflare-dns.com/dns-query";

/** By environment: an isolate has one, and asks for it at every request. */
const known = new WeakMap<Settings, Config>();

export function readConfig(env: Settings): Config {
  const config = known.get(env) ?? parseSettings(env);
  known.set(env, config);
  return config;
}

function parseSettings(env: Settings): Config {
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
    lagToldEvents: readPositive("LAG_TOLD_EVENTS", env.LAG_TOLD_EVENTS, LIMITS.LAG_TOLD_EVENTS_DEFAULT),
    stalledToldMs: readPositive("STALLED_TOLD_MS", env.STALLED_TOLD_MS, LIMITS.STALLED_TOLD_MS_DEFAULT),
    logToldBytes: readPositive("LOG_TOLD_BYTES", env.LOG_TOLD_BYTES, LIMITS.LOG_TOLD_BYTES_DEFAULT),
    otlp: readOtlp(env),
  };
}

function readPositive(name: string, text: string | undefined, otherwise: number): number {
  const value = Number(text ?? otherwise);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} is a whole number from 1`);
  return value;
}

function readOtlp({ OTLP_ENDPOINT: url = "", OTLP_HEADERS: headers = "", OTLP_SAMPLE_RATIO: ratio = "0.1" }: Settings) {
  if (url === "") return null;
  if (!/^https?:\/\//.test(url)) throw new Error("OTLP_ENDPOINT is an address or empty");
  const sampleRatio = Number(ratio);
  if (!(sampleRatio >= 0 && sampleRatio <= 1)) throw new Error("OTLP_SAMPLE_RATIO is a number from 0 to 1");
  const pairs = headers.split(",").flatMap((pair) => {
    const [, name, value] = /^\s*([\w-]+)=(.*?)\s*$/.exec(pair) ?? [];
    return name === undefined ? [] : [[name, value!] as const];
  });
  return { url: url.replace(/\/+$/, ""), headers: Object.fromEntries(pairs), sampleRatio };
}
