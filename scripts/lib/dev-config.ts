/**
 * The configuration of a local run with its examples: the hub's own, and the binding that leads to the example
 * consumer. It does not stand in wrangler.toml, because a deploy with a binding to a Worker that is not there fails.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HUB_CONFIG, REPOSITORY } from "./wrangler.ts";

/** Beside wrangler.toml, whose paths count from there. */
const DEV_CONFIG = "wrangler.dev.toml";
const CONSUMER_CONFIG = join("examples", "consumer", "wrangler.toml");

export const LOYALTY_BINDING = "CONSUMER_LOYALTY";

const BINDING = `
[[services]]
binding = "${LOYALTY_BINDING}"
service = "tidings-loyalty"
`;

/** The configuration files of the Workers that run together, the hub's first. */
export function prepareDevConfigs(): readonly string[] {
  const path = join(REPOSITORY, DEV_CONFIG);
  const text = readFileSync(join(REPOSITORY, HUB_CONFIG), "utf8") + BINDING;
  // A run that is under way watches its configuration: the same text again would start it anew.
  if (!existsSync(path) || readFileSync(path, "utf8") !== text) writeFileSync(path, text);
  return [DEV_CONFIG, CONSUMER_CONFIG];
}
