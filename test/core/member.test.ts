import { describe, expect, it } from "vitest";
import { LIMITS } from "../../src/core/limits.ts";
import { isPresenceChannel, joinMemberData, refuseMemberData } from "../../src/core/member.ts";

describe("what a member shows", () => {
  it.each<[string | null, string | null, string | null]>([
    [null, null, null],
    [null, "null", null],
    [null, '{"a":1}', '{"a":1}'],
    ['{"a":1.0}', null, '{"a":1.0}'],
    ['{"a":1.0}', '{"a":2,"b":1e999}', '{"a":1.0,"b":1e999}'],
    ['{"a":1}', '{"\\u0061":2}', '{"a":1}'],
    ['{"a":1}', "[1]", '{"a":1}'],
    ['"text"', '{"a":1}', '"text"'],
    ["null", '{"a":1}', '{"a":1}'],
  ])("[PRE-1] is the token's %s, with %s beside it: %s", (vouched, own, shown) => {
    expect(joinMemberData(vouched, own)).toBe(shown);
  });

  it("[PRE-9] takes so many bytes", () => {
    expect(refuseMemberData("x".repeat(LIMITS.USER_DATA_BYTES_MAX))).toBeNull();
    expect(refuseMemberData("ä".repeat(LIMITS.USER_DATA_BYTES_MAX))).toMatchObject({
      actual: LIMITS.USER_DATA_BYTES_MAX * 2,
    });
  });

  it("[PRE-9] belongs to channels that are named for it", () => {
    expect(["presence-a", "presence-cache-a", "a", "xpresence-a"].map(isPresenceChannel)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });
});
