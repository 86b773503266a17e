/** Batches by the client library, against a real hub. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBatches, type BatchStep } from "../../src/client/batches.ts";
import { createHub, defineEvent } from "../../src/client/client.ts";
import type { StandardSchema } from "../../src/client/standard-schema.ts";
import { ROOT_KEY, startHub, type Hub } from "../harness/hub.ts";
import { eventually } from "../harness/wait.ts";

let hub: Hub;

beforeAll(async () => {
  hub = await startHub();
});
afterAll(() => hub.close());

const whole: StandardSchema<{ n: number }, { n: number }> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate: (value) =>
      Number.isInteger((value as { n: unknown }).n)
        ? { value: value as { n: number } }
        : { issues: [{ message: "n is a whole number." }] },
  },
};
const work = defineEvent("work", whole);

describe("tidings/batches", () => {
  it("[BAT-13] makes a batch of typed jobs, which workers end, and whose progress is seen live", async () => {
    const batches = createBatches({ url: `${hub.url}/`, token: ROOT_KEY });
    const live = createHub({ url: hub.url, token: ROOT_KEY });
    const steps: BatchStep[] = [];
    live.on("made", "made.step", ({ data }) => steps.push(data as BatchStep), { from: "earliest" });
    const options = { topic: "made", subscription: null, progress: "made.step", idempotencyKey: "once" };
    const batch = await batches.chain([work({ n: 1 }), work({ n: 2 })], options);
    expect((await batches.chain([work({ n: 1 }), work({ n: 2 })], options)).id).toBe(batch.id);
    expect(await batch.add([work({ n: 3 })])).toMatchObject({ total: 3, mode: "chain" });
    const complete = (index: number): Promise<unknown> =>
      eventually(
        () => batch.complete(index).catch(({ code }: { code: string }) => code),
        (answer) => answer !== "batch_job_not_started",
        "the job is there",
      );
    await complete(0);
    expect(await complete(1)).toMatchObject({ index: 1, state: "completed" });
    await eventually(
      () => batch.fail(2, "no more").catch(() => null),
      (answer) => answer !== null,
      "the last is there",
    );
    expect(await batch.look()).toMatchObject({ state: "failed", completed: 2, failed: 1 });
    expect(await batches.batch(batch.id).jobs({ state: "failed" })).toMatchObject([{ index: 2, reason: "no more" }]);
    await eventually(
      () => steps.map(({ completed, failed }) => [completed, failed]),
      (seen) => seen.length === 3,
      "all steps were seen",
    );
    expect(steps.map(({ percent }) => percent)).toEqual([33, 66, 100]);
    expect(await batch.retry()).toMatchObject({ state: "running", round: 2 });
    expect(await batch.cancel()).toMatchObject({ state: "cancelled", completed: 2, cancelled: 1 });
    live.close();
  });

  it("[BAT-13] refuses data that fits no schema before it asks, and says what the hub refuses", async () => {
    const batches = createBatches({ url: hub.url, token: ROOT_KEY });
    await expect(batches.parallel([work({ n: 0.5 })])).rejects.toMatchObject({ code: "data_invalid" });
    await expect(batches.parallel([work({ n: 1 })])).rejects.toMatchObject({ code: "batch_invalid" });
    await expect(batches.batch("batch_none").look()).rejects.toMatchObject({ code: "batch_not_found" });
  });
});
