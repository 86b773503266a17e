/**
 * `npm run deploy`: deploys, then migrates, then looks whether the hub answers. In that order, because the first deploy
 * creates the database that the migrations need.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { experimental_readRawConfig } from "wrangler";
import { findDeployedUrl, findRefusal, readDeployedState, type DeployedState } from "./lib/deploy-checks.ts";
import { exitOf, REPOSITORY, spawnWrangler } from "./lib/wrangler.ts";

const ANSWERS_WITHIN_MS = 60_000;
const POLL_MS = 2_000;

const args = process.argv.slice(2);
const refusal = findRefusal(args, plainVariables());
if (refusal !== null) fail(`Not deployed. ${refusal}`);

const url = await deploy();
await wrangler(["d1", "migrations", "apply", "DB", "--remote"], {});
if (url === null) {
  console.log("Deployed and migrated. wrangler named no address, so whether the hub answers was not checked.");
} else {
  report(url, await verify(url));
}

/** Names of [vars], of the whole file: an environment that is not deployed now may be tomorrow. */
function plainVariables(): string[] {
  const { rawConfig } = experimental_readRawConfig({ config: join(REPOSITORY, "wrangler.toml") });
  const environments = [rawConfig, ...Object.values(rawConfig.env ?? {})];
  return environments.flatMap(({ vars }) => Object.keys(vars ?? {}));
}

async function deploy(): Promise<string | null> {
  const folder = mkdtempSync(join(tmpdir(), "tidings-deploy-"));
  const output = join(folder, "output.ndjson");
  try {
    await wrangler(["deploy", ...args], { WRANGLER_OUTPUT_FILE_PATH: output });
    return findDeployedUrl(readFileSync(output, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** In the person's own terminal, so that wrangler can ask what it must. */
async function wrangler(command: readonly string[], env: Record<string, string>): Promise<void> {
  const code = await exitOf(spawnWrangler(command, env, "inherit"));
  if (code !== 0) fail(`\`wrangler ${command.join(" ")}\` ended with ${code}; nothing after it was done.`);
}

/** A new address takes a while until it answers everywhere. */
async function verify(address: string): Promise<DeployedState> {
  const deadline = Date.now() + ANSWERS_WITHIN_MS;
  for (;;) {
    const state = await look(address).catch((): DeployedState => "broken");
    if (state !== "broken" || Date.now() > deadline) return state;
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
}

async function look(address: string): Promise<DeployedState> {
  const [health, limits] = await Promise.all([fetch(`${address}/healthz`), fetch(`${address}/v1/limits`)]);
  const { code = "" } = (await limits.json()) as { readonly code?: string };
  return readDeployedState(health.status, { status: limits.status, code });
}

function report(address: string, state: DeployedState): void {
  if (state === "broken") fail(`Deployed and migrated, but ${address} does not answer as a hub does.`);
  console.log(`Deployed, migrated and answering: ${address}`);
  if (state === "needs_root_key") {
    console.log(
      "It stays closed until it has its key. Next: npm exec -- wrangler secret put ROOT_KEY -c wrangler.toml",
    );
  }
}

function fail(sentence: string): never {
  console.error(sentence);
  process.exit(1);
}
