import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";

const RESOLVER_URL = "https://cloudflare-dns.com/dns-query";

describe("readConfig", () => {
  it("has no key and no allowance of its own", () => {
    const closed = { rootKey: null, secretsKeys: [], allowPrivateTargets: false, resolverUrl: RESOLVER_URL };
    expect(readConfig({})).toEqual(closed);
    expect(readConfig({ ROOT_KEY: "", SECRETS_KEY: "" })).toEqual(closed);
  });

  it("takes what it is given", () => {
    expect(
      readConfig({ ROOT_KEY: "k", ALLOW_PRIVATE_TARGETS: "1", SECRETS_KEY: "new,old", DNS_OVER_HTTPS_URL: "" }),
    ).toEqual({ rootKey: "k", secretsKeys: ["new", "old"], allowPrivateTargets: true, resolverUrl: null });
    expect(readConfig({ ROOT_KEY: "k", ALLOW_PRIVATE_TARGETS: "0" }).allowPrivateTargets).toBe(false);
  });

  it("names what it cannot understand instead of guessing", () => {
    expect(() => readConfig({ ALLOW_PRIVATE_TARGETS: "true" })).toThrow("ALLOW_PRIVATE_TARGETS");
    expect(() => readConfig({ DNS_OVER_HTTPS_URL: "1.1.1.1" })).toThrow("DNS_OVER_HTTPS_URL");
  });
});
