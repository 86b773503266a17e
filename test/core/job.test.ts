import { expect, it } from "vitest";
import { jobKey, parseJobKey } from "../../src/core/job.ts";

it("[DLQ-9] a job's id says where the job lives, in one spelling", () => {
  const id = jobKey("0198c2a47b1e7c3a9f000123456789ab", 12);
  expect(parseJobKey(id)).toEqual({ subscription: "0198c2a47b1e7c3a9f000123456789ab", number: 12 });
  const others = ["", "job_", "job__1", "job_a_0", "job_a_01", "job_a_1 ", "job_a_-1", "job_a_1e3", "job_a/b_1", "a_1"];
  for (const other of others) expect(parseJobKey(other)).toBeNull();
});
