import { describe, expect, it } from "vitest";
import { BREAKER_DEFAULT, type BreakerPolicy } from "../../../src/core/breaker.ts";
import { formatBreaker } from "../../../src/wire/native/breaker-definition.ts";
import { parseSubscriptionDefinition } from "../../../src/wire/native/subscription-definition.ts";

const parse = (more: object) =>
  parseSubscriptionDefinition(JSON.stringify({ topics: ["t"], target: { kind: "listener", name: "x" }, ...more }));

function breakerOf(more: object): BreakerPolicy {
  const parsed = parse(more);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.failure));
  return parsed.value.breaker;
}

describe("[EPH-11] when an endpoint is left alone", () => {
  it("is said by default", () => {
    expect(breakerOf({})).toEqual(BREAKER_DEFAULT);
    expect(formatBreaker()).toEqual({
      breaker: { failures: 20, over: "5m", probeEvery: "30s" },
      disableAfter: "5d",
    });
  });

  it("comes back as it was asked for", () => {
    const asked = { breaker: { failures: 3, over: "0ms", probeEvery: "90s" }, disableAfter: null };
    expect(formatBreaker(breakerOf(asked))).toEqual(asked);
    expect(breakerOf({ breaker: { failures: 7 } })).toEqual({ ...BREAKER_DEFAULT, failures: 7 });
    expect(breakerOf({ disableAfter: "2h" })).toEqual({ ...BREAKER_DEFAULT, disableAfterMs: 7_200_000 });
  });

  it.each([
    [{ breaker: 7 }, "/breaker"],
    [{ breaker: { failures: 0 } }, "/breaker/failures"],
    [{ breaker: { failures: 10_001 } }, "/breaker/failures"],
    [{ breaker: { failures: "20" } }, "/breaker/failures"],
    [{ breaker: { over: "2d" } }, "/breaker/over"],
    [{ breaker: { probeEvery: "999ms" } }, "/breaker/probeEvery"],
    [{ breaker: { probeEvery: "2h" } }, "/breaker/probeEvery"],
    [{ breaker: { disableAfter: "1d" } }, "/breaker/disableAfter"],
    [{ disableAfter: "never" }, "/disableAfter"],
    [{ disableAfter: "0s" }, "/disableAfter"],
    [{ disableAfter: 5 }, "/disableAfter"],
  ])("%j is refused with a pointer", (more, pointer) => {
    const parsed = parse(more);
    expect(parsed.ok ? null : parsed.failure).toMatchObject({ code: "subscription_invalid", errors: [{ pointer }] });
  });
});
