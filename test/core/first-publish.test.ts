import { describe, expect, it } from "vitest";
import { checkFirstPublish } from "../../src/core/first-publish.ts";
import type { EventDraft } from "../../src/core/event.ts";

const draft = (more: Partial<EventDraft>): EventDraft => ({
  id: null,
  source: "/s",
  type: "t",
  key: null,
  time: null,
  attributes: "",
  data: "",
  expectedKeyVersion: null,
  ...more,
});
const versions = (...expected: (number | null)[]) =>
  expected.map((expectedKeyVersion) => draft({ key: "k", expectedKeyVersion }));

describe("a first publish", () => {
  it.each<[string, EventDraft[], (string | null)[], number | null, string | null]>([
    ["without conditions", [draft({})], [], null, null],
    ["at the beginning of the log", [draft({})], [], 0, null],
    ["behind an offset that cannot be there", [draft({})], [], 9, "version_conflict"],
    ["of a new key's first versions", versions(0, 1, null, 3), [], null, null],
    ["of a version that cannot be there", versions(1), [], null, "version_conflict"],
    ["of one version twice", versions(0, 0), [], null, "version_conflict"],
    ["of one event twice", versions(0, 0).map((event) => ({ ...event, id: "a" })), ["f", "f"], null, null],
    ["of two events with one id", [draft({ id: "a" }), draft({ id: "a" })], ["f", "g"], null, "event_id_conflict"],
    ["of one id from two sources", [draft({ id: "a" }), draft({ id: "a", source: "/x" })], ["f", "g"], null, null],
  ])("[TOP-4] %s is judged as the log would", (_what, drafts, fingerprints, ifMatch, code) => {
    const checked = checkFirstPublish(drafts, fingerprints, ifMatch);
    expect(checked.ok ? null : checked.failure.code).toBe(code);
  });
});
