import { describe, expect, it } from "vitest";
import {
  BREAKER_TABLE,
  breakerAt,
  CLOSED_BREAKER,
  joinReports,
  judgeEndpoint,
  SEVERAL_KEYS,
  type Breaker,
  type BreakerEvent,
  type BreakerPolicy,
  type BreakerState,
  type EndpointReport,
} from "../../src/core/breaker.ts";
import { reportOf } from "../../src/core/endpoint-report.ts";
import type { AttemptOutcome } from "../../src/core/delivery-decision.ts";

const NOW = 1_000_000_000;
const MINUTE = 60_000;
const POLICY: BreakerPolicy = { failures: 20, overMs: 5 * MINUTE, probeEveryMs: 30_000, disableAfterMs: 86_400_000 };

const failed = (failures: number, more: Partial<EndpointReport> = {}): EndpointReport => ({
  succeeded: false,
  failures,
  failedKey: "",
  byKey: false,
  ...more,
});
const SUCCEEDED = failed(0, { succeeded: true });

/** Reports as they come in, each so many minutes after the first. */
function tell(...reports: readonly (readonly [minutes: number, report: EndpointReport])[]): Breaker {
  return reports.reduce(
    (breaker, [minutes, report]) => judgeEndpoint(breaker, report, POLICY, NOW + minutes * MINUTE).breaker,
    CLOSED_BREAKER,
  );
}

const OPEN = tell([0, failed(19)], [5, failed(1)]);

describe("[EPH-1] a breaker", () => {
  const STATES: readonly BreakerState[] = ["closed", "open", "half_open"];
  const EVENTS: readonly BreakerEvent[] = ["succeeded", "failed", "tripped", "waited", "mended"];

  it("knows what each event makes of each state", () => {
    const rows = STATES.map((state) => [state, ...EVENTS.map((event) => BREAKER_TABLE[state][event])]);
    expect(rows).toEqual([
      ["closed", "closed", "closed", "open", "closed", "closed"],
      ["open", "closed", "open", "open", "half_open", "closed"],
      ["half_open", "closed", "open", "open", "half_open", "closed"],
    ]);
  });

  it("opens after so many failures over so long a time", () => {
    expect(OPEN).toMatchObject({ phase: "open", failures: 20, since: NOW, probeAt: NOW + 5 * MINUTE + 30_000 });
  });

  it.each([
    ["too few failures", tell([0, failed(18)], [60, failed(1)])],
    ["too short a time", tell([0, failed(1_000)], [4.9, failed(1_000)])],
    ["a success between them", tell([0, failed(19)], [4, SUCCEEDED], [5, failed(19)], [6, failed(1)])],
    ["a success in the same report", tell([0, failed(19)], [5, failed(19, { succeeded: true })])],
  ])("stays closed with %s", (_why, breaker) => {
    expect(breaker.phase).toBe("closed");
  });

  it("asks again when its time has come, and waits as long again when that failed", () => {
    const later = OPEN.probeAt;
    expect(breakerAt(OPEN, later - 1).phase).toBe("open");
    expect(breakerAt(OPEN, later).phase).toBe("half_open");
    const again = judgeEndpoint(OPEN, failed(1), POLICY, later + 700).breaker;
    expect(again).toMatchObject({ phase: "open", failures: 21, since: NOW, probeAt: later + 700 + 30_000 });
  });

  it("is not put off by what was still under way when it opened", () => {
    const { breaker } = judgeEndpoint(OPEN, failed(6), POLICY, OPEN.probeAt - 1);
    expect(breaker).toMatchObject({ phase: "open", failures: 26, probeAt: OPEN.probeAt });
  });

  it.each([OPEN.probeAt - 1, OPEN.probeAt + 1])("closes with the first success", (now) => {
    expect(judgeEndpoint(OPEN, SUCCEEDED, POLICY, now).breaker).toEqual(CLOSED_BREAKER);
  });
});

describe("[EPH-2] where keys are ordered", () => {
  const byKey = (failedKey: string, failures: number): EndpointReport => failed(failures, { failedKey, byKey: true });

  it("one key that fails opens nothing, a second one does", () => {
    const one = tell([0, byKey("a", 50)], [5, byKey("a", 50)]);
    expect(one.phase).toBe("closed");
    expect(judgeEndpoint(one, byKey("b", 1), POLICY, NOW + 6 * MINUTE).breaker.phase).toBe("open");
    expect(tell([0, byKey(SEVERAL_KEYS, 19)], [5, byKey("a", 1)]).phase).toBe("open");
  });
});

describe("[EPH-5] an endpoint that goes on failing", () => {
  it.each([
    [86_400_000 - 1, 86_400_000, false],
    [86_400_000, 86_400_000, true],
    [900 * 86_400_000, null, false],
  ])("after %i ms of failing, with %s as the limit, is given up: %s", (afterMs, disableAfterMs, disable) => {
    const verdict = judgeEndpoint(OPEN, failed(1), { ...POLICY, disableAfterMs }, NOW + afterMs);
    expect(verdict.disable).toBe(disable);
  });

  it("is not given up while it is still called as any other", () => {
    const patient = { ...POLICY, failures: 1_000 };
    expect(judgeEndpoint(CLOSED_BREAKER, failed(1), patient, NOW).disable).toBe(false);
    const slow = judgeEndpoint(CLOSED_BREAKER, failed(1), patient, NOW).breaker;
    expect(judgeEndpoint(slow, failed(1), patient, NOW + 86_400_000).disable).toBe(false);
  });
});

describe("[EPH-3] what attempts say of an endpoint", () => {
  const ACCEPTED: AttemptOutcome = { kind: "accepted", status: 204 };
  const BROKEN: AttemptOutcome = { kind: "refused", status: 500, retryAfterMs: null, excerpt: "" };
  const lost = (reason: "timeout" | "lapsed" | "secret_unreadable"): AttemptOutcome => ({
    kind: "unreachable",
    reason,
    excerpt: "",
  });
  const report = (...outcomes: readonly AttemptOutcome[]) =>
    reportOf(
      outcomes.map((outcome, index) => ({ outcome, key: `k${index}` })),
      true,
    );

  it("is nothing when it was not asked", () => {
    expect(report({ kind: "not_attempted" }, { kind: "expired" }, { kind: "gone" })).toBeNull();
    expect(report(lost("lapsed"), lost("secret_unreadable"))).toBeNull();
    expect(report()).toBeNull();
  });

  it("counts the failures after the last success only", () => {
    expect(report(BROKEN, ACCEPTED, BROKEN)).toEqual({ succeeded: true, failures: 1, failedKey: "k2", byKey: true });
    expect(report(BROKEN, lost("timeout"))).toMatchObject({ succeeded: false, failures: 2, failedKey: SEVERAL_KEYS });
    expect(report(BROKEN, ACCEPTED)).toMatchObject({ succeeded: true, failures: 0, failedKey: "" });
  });

  it("is the same in two reports as in one", () => {
    const [first, second] = [report(ACCEPTED, BROKEN)!, report(BROKEN, BROKEN)!];
    expect(joinReports(first, second)).toEqual({
      ...report(ACCEPTED, BROKEN, BROKEN, BROKEN),
      failedKey: SEVERAL_KEYS,
    });
    expect(joinReports(first, report(BROKEN, ACCEPTED)!)).toMatchObject({ succeeded: true, failures: 0 });
  });
});
