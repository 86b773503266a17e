import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";

const RESOLVER_URL = "https://cloudflare-dns.com/dns-query";

describe("readConfig", () => {
  it("has no key and no allowance of its own", () => {
    const access = { rootKey: null, secretsKeys: [], allowPrivateTargets: false };
    const closed = {
      ...access,
      resolverUrl: RESOLVER_URL,
      hubSocketsPlan: 5_000,
      presenceSilenceMs: 30_000,
      lagToldEvents: 10_000,
      stalledToldMs: 900_000,
      logToldBytes: 6_872_367_104,
      otlp: null,
    };
    expect(readConfig({})).toEqual(closed);
    expect(readConfig({ ROOT_KEY: "", SECRETS_KEY: "" })).toEqual(closed);
  });

  it("takes what it is given", () => {
    expect(
      readConfig({
        ROOT_KEY: "k",
        ALLOW_PRIVATE_TARGETS: "1",
        SECRETS_KEY: "new,old",
        DNS_OVER_HTTPS_URL: "",
        HUB_SOCKETS_PLAN: "7",
        PRESENCE_SILENCE_MS: "500",
        LAG_TOLD_EVENTS: "5",
        STALLED_TOLD_MS: "300",
        LOG_TOLD_BYTES: "4096",
        OTLP_ENDPOINT: "https://collector.example.com/",
        OTLP_HEADERS: "x-key=a=b, x-team = hub ,nonsense",
        OTLP_SAMPLE_RATIO: "0.5",
      }),
    ).toEqual({
      rootKey: "k",
      secretsKeys: ["new", "old"],
      allowPrivateTargets: true,
      resolverUrl: null,
      hubSocketsPlan: 7,
      presenceSilenceMs: 500,
      lagToldEvents: 5,
      stalledToldMs: 300,
      logToldBytes: 4_096,
      otlp: { url: "https://collector.example.com", headers: { "x-key": "a=b" }, sampleRatio: 0.5 },
    });
    expect(readConfig({ ROOT_KEY: "k", ALLOW_PRIVATE_TARGETS: "0" }).allowPrivateTargets).toBe(false);
  });

  it("names what it cannot understand instead of guessing", () => {
    expect(() => readConfig({ ALLOW_PRIVATE_TARGETS: "true" })).toThrow("ALLOW_PRIVATE_TARGETS");
    expect(() => readConfig({ DNS_OVER_HTTPS_URL: "1.1.1.1" })).toThrow("DNS_OVER_HTTPS_URL");
    expect(() => readConfig({ OTLP_ENDPOINT: "collector" })).toThrow("OTLP_ENDPOINT");
    for (const lag of ["0", "1.5", "many"])
      expect(() => readConfig({ LAG_TOLD_EVENTS: lag })).toThrow("LAG_TOLD_EVENTS");
    for (const ratio of ["2", "-1", "often"])
      expect(() => readConfig({ OTLP_ENDPOINT: "https://c", OTLP_SAMPLE_RATIO: ratio })).toThrow("OTLP_SAMPLE_RATIO");
    for (const plan of ["0", "many", "1.5", ""])
      expect(() => readConfig({ HUB_SOCKETS_PLAN: plan })).toThrow("HUB_SOCKETS_PLAN");
    for (const silence of ["99", "1.5", "1s", ""])
      expect(() => readConfig({ PRESENCE_SILENCE_MS: silence })).toThrow("PRESENCE_SILENCE_MS");
  });
});
