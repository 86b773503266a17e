import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { findDeployedUrl, findRefusal, readDeployedState } from "../../scripts/lib/deploy-checks.ts";
import { REPOSITORY } from "../../scripts/lib/wrangler.ts";

it.each<[readonly string[], readonly string[], string]>([
  [[], ["ROOT_KEY"], "ROOT_KEY"],
  [[], ["GREETING", "ALLOW_PRIVATE_TARGETS"], "ALLOW_PRIVATE_TARGETS"],
  [[], ["SECRETS_KEY"], "wrangler secret put SECRETS_KEY"],
  [["--var", "ROOT_KEY:secret"], [], "ROOT_KEY"],
  [["--var", "SECRETS_KEY:secret"], [], "SECRETS_KEY"],
  [["--var=ALLOW_PRIVATE_TARGETS:1"], [], "ALLOW_PRIVATE_TARGETS"],
  [["--dry-run"], [], "npm run build"],
])("[RUN-6] refuses to deploy with the arguments %j and the variables %j", (args, vars, named) => {
  expect(findRefusal(args, vars)).toContain(named);
});

it("[RUN-6] deploys what carries neither, and never repeats a secret's value", () => {
  expect(findRefusal(["--env", "staging"], ["GREETING"])).toBeNull();
  expect(findRefusal(["--var", "ROOT_KEY:hunter2"], [])).not.toContain("hunter2");
});

it("[RUN-6] finds nothing to refuse in the wrangler.toml of this repository", () => {
  expect(readFileSync(join(REPOSITORY, "wrangler.toml"), "utf8")).not.toMatch(
    /ROOT_KEY|SECRETS_KEY|ALLOW_PRIVATE_TARGETS/,
  );
});

it("[RUN-7] reads the deployed address from wrangler's output", () => {
  const output = [
    `{"type":"wrangler-session","version":1}`,
    `{"type":"deploy","version":1,"targets":["https://tidings.example.workers.dev/","schedule: * * * * *"]}`,
    "",
  ].join("\n");
  expect(findDeployedUrl(output)).toBe("https://tidings.example.workers.dev");
  expect(findDeployedUrl(`{"type":"deploy","targets":["schedule: * * * * *"]}`)).toBeNull();
  expect(findDeployedUrl("")).toBeNull();
});

it.each([
  [200, 401, "unauthenticated", "ready"],
  [200, 503, "not_configured", "needs_root_key"],
  [200, 503, "hub_overloaded", "broken"],
  [404, 401, "unauthenticated", "broken"],
  [200, 404, "", "broken"],
] as const)("[RUN-7] takes /healthz %i and /v1/limits %i %s for %s", (health, status, code, state) => {
  expect(readDeployedState(health, { status, code })).toBe(state);
});
