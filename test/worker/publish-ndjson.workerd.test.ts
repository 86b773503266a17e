import { beforeAll, describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { ok } from "../../src/core/result.ts";
import type { Caller } from "../../src/worker/caller.ts";
import { publishLines } from "../../src/worker/publish-ndjson.ts";
import { env, migrateDatabase } from "../builders/objects.ts";

beforeAll(migrateDatabase);

const caller: Caller = {
  principal: { kind: "root", app: "app_lines", appName: "tests", quotas: {} },
  request: "tests",
};
const callerNow = () => Promise.resolve(ok(caller));

/** Answers to lines that all arrive in one piece. */
async function publishAtOnce(topic: string, lines: readonly string[]): Promise<{ offset?: number }[]> {
  const defaults = { source: "/tests", traceparent: null };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(lines.join("\n")));
      controller.close();
    },
  });
  const answer = publishLines({ env, callerNow, topic, partition: null, defaults }, body);
  const text = await new Response(answer).text();
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { offset?: number });
}

describe("lines that come all at once", () => {
  it("[PUB-12] are appended in chunks that a request could bring, however large they are together", async () => {
    const count = 150; // 37 MB; one RPC call carries 32 MB.
    const answers = await publishAtOnce(
      "large",
      Array<string>(count).fill(`{"type":"t","data":"${"x".repeat(250_000)}"}`),
    );
    expect(answers.map(({ offset }) => offset)).toEqual(Array.from({ length: count }, (_, index) => index + 1));
  });

  it("[PUB-12] answer each line where one of them is larger than a chunk", async () => {
    const small = '{"type":"t"}';
    const answers = await publishAtOnce("mixed", [small, "x".repeat(LIMITS.REQUEST_BYTES_MAX + 1), small]);
    expect(answers).toMatchObject([{ offset: 1 }, { problem: { code: "body_too_large" } }, { offset: 2 }]);
  });
});
