import { describe, expect, it } from "vitest";
import { isChosen, parseOptions } from "../../bench/options.ts";

describe("the command line of the bench", () => {
  it("asks for everything when nothing is said", () => {
    expect(parseOptions([])).toEqual({
      isQuick: false,
      only: [],
      isStrict: false,
      isControl: false,
      isAgainstPeers: false,
      writesDocs: false,
    });
  });

  it("takes every option in any order", () => {
    expect(parseOptions(["--strict", "--only", "publish,read", "--quick", "--control"])).toMatchObject({
      isQuick: true,
      only: ["publish", "read"],
      isStrict: true,
      isControl: true,
    });
    expect(parseOptions(["--write-docs", "--peers"])).toMatchObject({ isAgainstPeers: true, writesDocs: true });
  });

  it("refuses what it does not know, so that a typing error does not run the whole bench", () => {
    expect(() => parseOptions(["--quik"])).toThrow("unknown option --quik");
    expect(() => parseOptions(["--only"])).toThrow("--only takes names");
  });

  it("refuses what would mean nothing, or put the figures of half a run into the docs", () => {
    expect(() => parseOptions(["--peers", "--control"])).toThrow("knows no --peers");
    expect(() => parseOptions(["--write-docs", "--only", "read"])).toThrow("every figure of one run");
    expect(() => parseOptions(["--write-docs", "--control"])).toThrow("every figure of one run");
  });

  it("chooses a measure by its name or by its family", () => {
    expect(isChosen("publish-100", ["publish"])).toBe(true);
    expect(isChosen("publish-100", ["publish-100"])).toBe(true);
    expect(isChosen("publish-100", ["publish-1"])).toBe(false);
    expect(isChosen("read", [])).toBe(true);
  });
});
