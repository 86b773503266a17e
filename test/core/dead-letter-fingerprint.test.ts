import { describe, expect, it } from "vitest";
import { deadLetterFingerprint, foldExcerpt } from "../../src/core/dead-letter-fingerprint.ts";
import type { AttemptRecord } from "../../src/core/delivery-decision.ts";

const attempt = (more: Partial<AttemptRecord> = {}): AttemptRecord => ({
  at: "2026-01-01T00:00:00.000Z",
  durationMs: 3,
  status: 422,
  error: null,
  excerpt: "order 17 is unknown",
  ...more,
});
const fingerprint = (more: Partial<AttemptRecord> = {}, reason = "refused_permanently"): string =>
  deadLetterFingerprint(reason, attempt(more));

describe("[DLQ-1] deaths of one error", () => {
  it("share a fingerprint, whatever numbers, ids and times stand in the answer", () => {
    const alike = [
      "order 18 is unknown",
      "order  18,700.5\n is unknown",
      "order 2026-01-01 is unknown".replace("2026-01-01", "20260101"),
    ];
    for (const excerpt of alike) expect(fingerprint({ excerpt })).toBe(fingerprint());
    expect(fingerprint({ at: "2027-01-01T00:00:00.000Z", durationMs: 99 })).toBe(fingerprint());
    const ids = ["0198c2a4-7b1e-7c3a-9f00-0123456789ab", "0198C2A4-7B1E-7C3A-9F00-FFFFFFFFFFFF"];
    expect(fingerprint({ excerpt: `no cart ${ids[0]}` })).toBe(fingerprint({ excerpt: `no cart ${ids[1]}` }));
    const traces = ["trace 4bf92f3577b34da6a3ce929d0e0e4736", "trace 00f067aa0ba902b74bf92f3577b34da6"];
    expect(fingerprint({ excerpt: traces[0]! })).toBe(fingerprint({ excerpt: traces[1]! }));
    const long = "x".repeat(500);
    expect(fingerprint({ excerpt: `${long}at line one` })).toBe(fingerprint({ excerpt: `${long}at another` }));
  });

  it("are told apart from others by reason, status, error and words", () => {
    const others = [
      fingerprint({ status: 400 }),
      fingerprint({ error: "timeout", status: null }),
      fingerprint({ excerpt: "order 17 is unheard of" }),
      fingerprint({}, "attempts_exhausted"),
      deadLetterFingerprint("refused_permanently", undefined),
    ];
    expect(new Set([fingerprint(), ...others]).size).toBe(6);
    for (const one of others) expect(one).toMatch(/^[0-9a-f]{14}$/);
  });

  it("show what they have in common", () => {
    expect(foldExcerpt("order 17 of cart 0198c2a4-7b1e-7c3a-9f00-0123456789ab at 12:30:01 is unknown")).toBe(
      "order <n> of cart <uuid> at <n> is unknown",
    );
    expect(foldExcerpt("session abcdefghijkl1234mnop has ended")).toBe("session <id> has ended");
  });

  it("scatter: ten thousand words make ten thousand fingerprints", () => {
    const letters = "abcdefghijklmnopqrstuvwxyz";
    const word = (at: number): string => [...at.toString(26)].map((digit) => letters[parseInt(digit, 26)]).join("");
    const made = Array.from({ length: 10_000 }, (_, at) => fingerprint({ excerpt: word(at) }));
    expect(new Set(made).size).toBe(10_000);
  });
});
