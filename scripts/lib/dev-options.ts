/** What `npm run dev -- …` was asked for. Pure: arguments and environment in, options or a sentence out. */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { REPOSITORY } from "./wrangler.ts";

export interface DevOptions {
  readonly port: number;
  /** Absolute. */
  readonly persistTo: string;
  /** The hub alone: no example system, and the page that a deployed hub shows. */
  readonly bare: boolean;
  /** Configuration files of Workers that run beside the hub, absolute. */
  readonly consumers: readonly string[];
  readonly verbose: boolean;
  readonly rootKey: string;
  readonly rootKeyIsOurs: boolean;
  readonly allowPrivateTargets: string;
}

export const DEV_USAGE = `npm run dev -- [--port N] [--persist-to DIR] [--bare] [--consumer FILE] [--verbose]

  --port N          where the hub listens (8787)
  --persist-to DIR  where its state is kept (.wrangler/state)
  --bare            the hub alone, without the example system and its page
  --consumer FILE   the wrangler.toml of a Worker of yours, which the hub reaches under CONSUMER_ and its name; several
  --verbose         every line that the hub logs, not its errors only

  ROOT_KEY               the root key (dev-root-key)
  ALLOW_PRIVATE_TARGETS  0 refuses webhooks to loopback and private addresses, as a deployed hub does (1)`;

const DEV_ROOT_KEY = "dev-root-key";

/** A string is what is wrong with the arguments. */
export function parseDevOptions(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  cwd: string,
): DevOptions | string {
  const values = parse(args);
  if (typeof values === "string") return values;
  const port = Number(values.port ?? "8787");
  const isPort = Number.isInteger(port) && port >= 1 && port <= 65_535;
  if (!isPort) return `--port is a number from 1 to 65535, not "${values.port}"`;
  const allowed = env["ALLOW_PRIVATE_TARGETS"] ?? "1";
  if (allowed !== "0" && allowed !== "1") return `ALLOW_PRIVATE_TARGETS is 0 or 1, not "${allowed}"`;
  const given = env["ROOT_KEY"] ?? "";
  return {
    port,
    persistTo: resolve(cwd, values["persist-to"] ?? join(REPOSITORY, ".wrangler", "state")),
    bare: values.bare ?? false,
    consumers: (values.consumer ?? []).map((path) => resolve(cwd, path)),
    verbose: values.verbose ?? false,
    rootKey: given === "" ? DEV_ROOT_KEY : given,
    rootKeyIsOurs: given === "",
    allowPrivateTargets: allowed,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        port: { type: "string" },
        "persist-to": { type: "string" },
        bare: { type: "boolean" },
        consumer: { type: "string", multiple: true },
        verbose: { type: "boolean" },
      },
    }).values;
  } catch (error) {
    return (error as Error).message;
  }
}
