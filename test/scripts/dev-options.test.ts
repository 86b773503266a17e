import { join } from "node:path";
import { expect, it } from "vitest";
import { parseDevOptions } from "../../scripts/lib/dev-options.ts";
import { REPOSITORY } from "../../scripts/lib/wrangler.ts";

it("[RUN-1] starts on 8787, keeps state under .wrangler/state and passes the local key and allowance", () => {
  expect(parseDevOptions([], {}, "/elsewhere")).toEqual({
    port: 8787,
    persistTo: join(REPOSITORY, ".wrangler", "state"),
    bare: false,
    consumers: [],
    verbose: false,
    rootKey: "dev-root-key",
    rootKeyIsOurs: true,
    allowPrivateTargets: "1",
  });
});

it("[RUN-1] honours --port, --persist-to, ROOT_KEY and ALLOW_PRIVATE_TARGETS", () => {
  const env = { ROOT_KEY: "mine", ALLOW_PRIVATE_TARGETS: "0" };
  expect(parseDevOptions(["--port", "9000", "--persist-to", "state", "--bare"], env, "/elsewhere")).toMatchObject({
    port: 9000,
    persistTo: "/elsewhere/state",
    bare: true,
    rootKey: "mine",
    rootKeyIsOurs: false,
    allowPrivateTargets: "0",
  });
});

it("[RUN-9] takes the configurations of Workers that run beside the hub", () => {
  const args = ["--consumer", "mine/wrangler.toml", "--consumer", "/theirs/wrangler.toml"];
  expect(parseDevOptions(args, {}, "/elsewhere")).toMatchObject({
    consumers: ["/elsewhere/mine/wrangler.toml", "/theirs/wrangler.toml"],
  });
});

it.each<[readonly string[], Record<string, string>, string]>([
  [["--port", "0"], {}, "--port"],
  [["--port", "70000"], {}, "--port"],
  [["--port", "http"], {}, "--port"],
  [["--prot", "9000"], {}, "--prot"],
  [["9000"], {}, "9000"],
  [[], { ALLOW_PRIVATE_TARGETS: "yes" }, "ALLOW_PRIVATE_TARGETS"],
])("[RUN-1] refuses %j with %j in a sentence that names what is wrong", (args, env, named) => {
  expect(parseDevOptions(args, env, "/elsewhere")).toContain(named);
});
