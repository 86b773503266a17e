import { expect, it } from "vitest";
import { policyFor, type TopicPolicy } from "../../src/core/topic-policy.ts";

const policy = (name: string, ...topics: string[]): TopicPolicy => ({
  name,
  topics,
  retention: {},
  description: null,
});

it("[CHN-15] of several policies the first by name decides, and none speaks of what it does not match", () => {
  const policies = [policy("a", "typing.*"), policy("b", "typing.**", "chat.*"), policy("c", "**")];
  expect(["typing.x", "typing.x.y", "chat.x", "orders"].map((topic) => policyFor(policies, topic)?.name)).toEqual([
    "a",
    "b",
    "b",
    "c",
  ]);
  expect(policyFor(policies.slice(0, 2), "orders")).toBeNull();
  expect(policyFor(policies, "$system.channels")).toBeNull();
});
