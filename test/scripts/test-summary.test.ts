import { expect, it } from "vitest";
import { formatSummary, type VitestReport } from "../../scripts/lib/test-summary.ts";

const report = (more: Partial<VitestReport>): VitestReport => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  testResults: [],
  ...more,
});

it("[RUN-8] ends a test run with its counts", () => {
  expect(formatSummary(report({ numPassedTests: 12 }))).toBe("12 passed, 0 failed");
  expect(formatSummary(report({ numPassedTests: 12, numFailedTests: 1, numPendingTests: 2, numTodoTests: 1 }))).toBe(
    "12 passed, 1 failed, 3 skipped",
  );
});

it("[RUN-8] counts a file that broke before its first test as a failure", () => {
  const testResults = [
    { status: "failed", assertionResults: [] },
    { status: "passed", assertionResults: [{}] },
  ];
  expect(formatSummary(report({ numPassedTests: 1, testResults }))).toBe("1 passed, 1 failed");
});
