import { expect, it } from "vitest";
import { ERRORS } from "../../src/core/errors.ts";

const MESSAGE_TOO_BIG = 1_009; // RFC 6455's own code, which clients know
const entries = Object.entries(ERRORS);

it("[WIRE-5] stands in alphabetical order, each code a name in snake case with a sentence", () => {
  const codes = entries.map(([code]) => code);
  expect(codes).toEqual(codes.toSorted());
  for (const [code, spec] of entries) {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(spec.says).toMatch(/^[A-Z].*\.$/);
  }
});

it.each(entries)("[WIRE-5] %s tells the same by its status, its close code and its effect", (code, spec) => {
  const { status, close, retryable, effect } = spec;
  if (close !== MESSAGE_TOO_BIG) {
    expect(close).toBeGreaterThanOrEqual(4_000);
    expect(close).toBeLessThan(5_000);
    // A fresh credential may come again, though not the very same request.
    expect(close < 4_500).toBe(retryable || status === 429 || code === "credential_expired");
  }
  if (status < 500 && !retryable) expect(effect).toBe("none");
});
