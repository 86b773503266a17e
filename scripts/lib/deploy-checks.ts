/** What `npm run deploy` refuses, and how it reads what wrangler and the hub answer. Pure. */

/** What must never stand in a deployed Worker's settings as plain text: secrets, and what opens the network. */
const NEVER_PLAIN = ["ROOT_KEY", "SECRETS_KEY", "ALLOW_PRIVATE_TARGETS"] as const;

/**
 * Why this must not be deployed; null when nothing speaks against it. `vars` are wrangler.toml's plain variables, those
 * of every named environment included.
 */
export function findRefusal(args: readonly string[], vars: readonly string[]): string | null {
  // The migrations after it would be real.
  if (args.includes("--dry-run")) return "A dry run is `npm run build`.";
  const configured = NEVER_PLAIN.find((name) => vars.includes(name));
  if (configured !== undefined) {
    return `wrangler.toml holds ${configured} as a plain variable. ${ADVICE[configured]}`;
  }
  const given = NEVER_PLAIN.find((name) => args.some((arg) => arg.replace(/^--var=/, "").startsWith(`${name}:`)));
  return given === undefined ? null : `The arguments carry ${given} as a plain variable. ${ADVICE[given]}`;
}

const asSecret = (name: string): string =>
  `Everybody who can read the Worker's settings could read it: use \`wrangler secret put ${name}\`.`;

const ADVICE = {
  ROOT_KEY: asSecret("ROOT_KEY"),
  SECRETS_KEY: asSecret("SECRETS_KEY"),
  ALLOW_PRIVATE_TARGETS: "It is for local runs: it would let webhooks reach private addresses.",
};

/** The hub's address, from the lines of JSON that wrangler writes to WRANGLER_OUTPUT_FILE_PATH; null when it has none. */
export function findDeployedUrl(output: string): string | null {
  for (const line of output.split("\n").filter((text) => text.trim() !== "")) {
    const { type, targets } = JSON.parse(line) as { readonly type?: string; readonly targets?: readonly string[] };
    const address = type === "deploy" ? targets?.find((target) => target.startsWith("https://")) : undefined;
    if (address !== undefined) return address.replace(/\/$/, "");
  }
  return null;
}

export type DeployedState = "ready" | "needs_root_key" | "broken";

/** `health` and `limits` are the answers of /healthz and of /v1/limits without a key. */
export function readDeployedState(
  health: number,
  limits: { readonly status: number; readonly code: string },
): DeployedState {
  if (health !== 200) return "broken";
  if (limits.status === 503 && limits.code === "not_configured") return "needs_root_key";
  return limits.status === 401 ? "ready" : "broken";
}
