import { describe, expect, it } from "vitest";
import { readConfig } from "../../src/config.ts";

describe("readConfig", () => {
  it("has no key and no allowance of its own", () => {
    expect(readConfig({})).toEqual({ rootKey: null, allowPrivateTargets: false });
    expect(readConfig({ ROOT_KEY: "" })).toEqual({ rootKey: null, allowPrivateTargets: false });
  });

  it("takes what it is given", () => {
    expect(readConfig({ ROOT_KEY: "k", ALLOW_PRIVATE_TARGETS: "1" })).toEqual({
      rootKey: "k",
      allowPrivateTargets: true,
    });
    expect(readConfig({ ROOT_KEY: "k", ALLOW_PRIVATE_TARGETS: "0" })).toEqual({
      rootKey: "k",
      allowPrivateTargets: false,
    });
  });

  it("names what it cannot understand instead of guessing", () => {
    expect(() => readConfig({ ALLOW_PRIVATE_TARGETS: "true" })).toThrow("ALLOW_PRIVATE_TARGETS");
  });
});
