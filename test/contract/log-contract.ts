/**
 * What every log promises, whatever keeps it. An implementation brings a fresh log for each test; the suite sees it
 * through its RPC surface only, and moves time by faking `Date`.
 */
import { afterEach, beforeEach, describe, vi } from "vitest";
import { appendContract } from "./log-contract-append.ts";
import { identityContract } from "./log-contract-identity.ts";
import { lifeContract } from "./log-contract-life.ts";
import { readContract } from "./log-contract-read.ts";
import { LogUnderTest, MORNING, type LogSubject, type OpenLog } from "./log-under-test.ts";

export function logContract(name: string, open: () => LogSubject): void {
  const openLog: OpenLog = () => new LogUnderTest(open());
  describe(name, () => {
    // Only the date: what the log waits for must go on by itself.
    beforeEach(() => void vi.useFakeTimers({ toFake: ["Date"], now: MORNING }));
    afterEach(() => void vi.useRealTimers());
    appendContract(openLog);
    identityContract(openLog);
    readContract(openLog);
    lifeContract(openLog);
  });
}
