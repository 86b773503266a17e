import { describe, expect, it } from "vitest";
import { ERRORS, type ErrorCode } from "../../src/core/errors.ts";
import { problem } from "../../src/worker/respond.ts";

const codes = Object.keys(ERRORS) as ErrorCode[];

describe("problem", () => {
  it("[ERR-6] says for every error of the table whether repeating helps, and when", async () => {
    for (const code of codes) {
      const { status, retryable, effect, says } = ERRORS[code];
      const answer = problem({ code });
      expect(answer.status).toBe(status);
      expect(answer.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
      expect(await answer.json()).toMatchObject({ code, status, retryable, effect, title: says });
      const tellsWhen = status === 429 || status === 503 || (status === 409 && retryable);
      expect(answer.headers.has("retry-after")).toBe(tellsWhen);
    }
  });

  it("[ERR-6] carries the limit, what was measured, where, and how long to wait", async () => {
    const answer = problem({
      code: "not_configured",
      detail: "Not yet.",
      limit: 5,
      actual: 6,
      errors: [{ pointer: "/a", detail: "No." }],
      retryAfterSeconds: 9,
    });
    expect(answer.headers.get("retry-after")).toBe("9");
    expect(await answer.json()).toMatchObject({
      detail: "Not yet.",
      limit: 5,
      actual: 6,
      errors: [{ pointer: "/a", detail: "No." }],
    });
  });
});
