/**
 * The configuration of a local run: the hub's own, with a binding for each Worker that runs beside it. They do not
 * stand in wrangler.toml, because a deploy with a binding to a Worker that is not there fails.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ORDERS_BINDING } from "../../examples/orders/subscriptions.ts";
import { HUB_CONFIG, REPOSITORY } from "./wrangler.ts";

export const LOYALTY_BINDING = "CONSUMER_LOYALTY";

/** The Workers of the examples. */
const EXAMPLES = [
  { config: join("examples", "consumer", "wrangler.toml"), binding: LOYALTY_BINDING },
  { config: join("examples", "orders", "wrangler.toml"), binding: ORDERS_BINDING },
];

/** The configuration files of the Workers that run together, the hub's first. */
export interface DevConfigs {
  readonly paths: readonly string[];
  /** Takes away what was written for this run alone. */
  remove(): void;
}

/** `consumers` are configuration files, too; each Worker is reached under `CONSUMER_` and its name. */
export function prepareDevConfigs(port: number, withExample: boolean, consumers: readonly string[]): DevConfigs {
  const example = withExample ? EXAMPLES : [];
  const given = consumers.map((config) => ({ config, binding: bindingOf(nameIn(config)) }));
  const beside = [...example, ...given];
  if (beside.length === 0) return { paths: [HUB_CONFIG], remove: () => undefined };
  // Beside wrangler.toml, whose paths count from there. Runs that differ share none: each watches its own.
  const path = given.length === 0 ? "wrangler.dev.toml" : `wrangler.dev-${port}.toml`;
  write(path, beside.map(({ config, binding }) => serviceOf(binding, nameIn(config))).join(""));
  return {
    paths: [path, ...beside.map(({ config }) => config)],
    remove: () => (given.length === 0 ? undefined : rmSync(join(REPOSITORY, path), { force: true })),
  };
}

function write(path: string, services: string): void {
  const target = join(REPOSITORY, path);
  const text = readFileSync(join(REPOSITORY, HUB_CONFIG), "utf8") + services;
  // A run that is under way watches its configuration: the same text again would start it anew.
  if (!existsSync(target) || readFileSync(target, "utf8") !== text) writeFileSync(target, text);
}

const serviceOf = (binding: string, service: string): string =>
  `\n[[services]]\nbinding = "${binding}"\nservice = "${service}"\n`;

const bindingOf = (name: string): string => `CONSUMER_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_")}`;

/** Throws for a file that is not there or names no Worker. */
function nameIn(config: string): string {
  const path = join(config.startsWith("/") ? "" : REPOSITORY, config);
  const name = /^name\s*=\s*"([^"]+)"/m.exec(readFileSync(path, "utf8"))?.[1];
  if (name === undefined) throw new Error(`${config} names no Worker`);
  return name;
}
