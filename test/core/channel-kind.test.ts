import { expect, it } from "vitest";
import { channelKindOf } from "../../src/core/channel-kind.ts";
import { admitClientEvent, isClientEventType } from "../../src/core/client-event.ts";
import { connectionMark, exclusionIn, formatExclusion } from "../../src/core/exclusion.ts";

it.each([
  ["orders", "public", false, false],
  ["privateer", "public", false, false],
  ["cache-rates", "public", false, true],
  ["private-room", "private", false, false],
  ["private-cache-room", "private", false, true],
  ["private-encrypted-room", "private", true, false],
  ["private-encrypted-cache-room", "private", true, true],
  ["presence-room", "presence", false, false],
  ["presence-cache-room", "presence", false, true],
  ["presence-encrypted-room", "presence", false, false],
] as const)("[CHN-2] %s is a channel of its kind", (name, access, encrypted, cached) => {
  expect(channelKindOf(name)).toEqual({ access, encrypted, cached });
});

it("[CHN-5] client events go where they may, by those who follow", () => {
  const code = (topic: string, follows = true) => {
    const admitted = admitClientEvent(topic, follows);
    return admitted.ok ? null : admitted.failure.code;
  };
  expect(["private-a", "presence-a", "private-cache-a"].map((topic) => code(topic))).toEqual([null, null, null]);
  expect(["a", "cache-a", "private-encrypted-a"].map((topic) => code(topic))).toEqual(
    Array(3).fill("client_event_refused"),
  );
  expect(code("private-a", false)).toBe("client_event_refused");
  expect(["client-typing", "client-", "client", "a-client-b"].map(isClientEventType)).toEqual([
    true,
    true,
    false,
    false,
  ]);
});

it("[CHN-8] an exclusion is read from the attribute alone, and names no connection", () => {
  const value = formatExclusion(["one", "two"]);
  expect(value).not.toMatch(/one|two/);
  const line = `{"id":"1","excludes":"${value}","data":{}}`;
  expect([...exclusionIn(line)!]).toEqual([connectionMark("one"), connectionMark("two")]);
  expect(exclusionIn(`{"id":"1","data":{"a":1,"excludes":"${value}"}}`)).toBeNull();
  expect(exclusionIn(`{"id":"1","data":"${'x,\\"excludes\\":\\"y\\"'}"}`)).toBeNull();
});
