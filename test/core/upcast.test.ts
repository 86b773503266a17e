import { describe, expect, it } from "vitest";
import { liftLine, upcastData, type UpcastStep } from "../../src/core/upcast.ts";

const path = (text: string): string[] => text.split("/").slice(1);
const rename = (at: string, to: string): UpcastStep => ({ op: "rename", path: path(at), to });
const move = (from: string, to: string): UpcastStep => ({ op: "move", from: path(from), path: path(to) });
const fill = (at: string, value: string): UpcastStep => ({ op: "default", path: path(at), value });
const drop = (at: string): UpcastStep => ({ op: "drop", path: path(at) });
const wrap = (at: string, name: string): UpcastStep => ({ op: "wrap", path: path(at), in: name });

describe("an upcast", () => {
  it.each<[string, string, UpcastStep[], string]>([
    ["a member by another name, in its place", '{"a":1,"b":2,"c":3}', [rename("/b", "x")], '{"a":1,"x":2,"c":3}'],
    ["a name that is taken", '{"a":1,"b":2}', [rename("/a", "b")], '{"b":1}'],
    [
      "what is absent stays so",
      '{"a":1}',
      [rename("/b", "x"), drop("/c"), wrap("/d", "v"), move("/e", "/f")],
      '{"a":1}',
    ],
    ["a default where nothing is", '{"a":1}', [fill("/b", '"EUR"'), fill("/a", "9")], '{"a":1,"b":"EUR"}'],
    ["a default null counts as there", '{"a":null}', [fill("/a", "9")], '{"a":null}'],
    ["a member less", '{"a":1,"b":{"c":1,"d":2}}', [drop("/b/c"), drop("/a")], '{"b":{"d":2}}'],
    ["a value in an object of its own", '{"total":5.10}', [wrap("/total", "amount")], '{"total":{"amount":5.10}}'],
    [
      "and more beside it",
      '{"t":5}',
      [wrap("/t", "amount"), fill("/t/unit", '"EUR"')],
      '{"t":{"amount":5,"unit":"EUR"}}',
    ],
    [
      "a member elsewhere, with what is on the way",
      '{"zip":"1","x":2}',
      [move("/zip", "/to/home/zip")],
      '{"x":2,"to":{"home":{"zip":"1"}}}',
    ],
    [
      "nothing moves where something else stands",
      '{"zip":"1","to":"me"}',
      [move("/zip", "/to/zip")],
      '{"zip":"1","to":"me"}',
    ],
    ["into itself", '{"a":{"b":1}}', [move("/a", "/a/c")], '{"a":{"c":{"b":1}}}'],
    [
      "each item of a list",
      '{"l":[{"n":1},{"n":2,"m":3},7]}',
      [rename("/l/*/n", "x"), fill("/l/*/y", "0")],
      '{"l":[{"x":1,"y":0},{"x":2,"m":3,"y":0},7]}',
    ],
    ["lists in lists", '{"l":[[{"a":1}],[]]}', [drop("/l/*/*/a")], '{"l":[[{}],[]]}'],
    ["a star that is a name", '{"*":{"a":1}}', [drop("/*/a")], '{"*":{}}'],
    ["data that is no object", "[1,2]", [drop("/a"), fill("/b", "1"), move("/a", "/b")], "[1,2]"],
    [
      "names of the prototype",
      '{"__proto__":1,"constructor":2}',
      [rename("/__proto__", "toString")],
      '{"toString":1,"constructor":2}',
    ],
    ["names with other signs", '{"a/b":1,"\\u00e9\\"":2}', [rename('/é"', "x")], '{"a/b":1,"x":2}'],
    [
      "numbers and characters that it does not touch",
      '{"a":12345678901234567890.10,"b":"\\u00e9","c":1}',
      [drop("/c")],
      '{"a":12345678901234567890.10,"b":"\\u00e9"}',
    ],
  ])("[SCH-13] lifts %s", (_name, before, upcast, after) => {
    expect(upcastData(before, upcast)).toBe(after);
  });

  const line = (version: number | null, data = '{"a":1}'): string =>
    `{"id":"1","type":"t"${version === null ? "" : `,"dataschema":"tidings:/v1/schemas/t/versions/${version}","schemaversion":${version}`},"offset":7,"data":${data}}`;
  const LIFTS = { t: { version: 3, upcasts: [[rename("/a", "b")], [rename("/b", "c")]] } };

  it("[SCH-13] lifts an event from its own version, and says to which", () => {
    expect(liftLine(line(1), LIFTS)).toBe(line(3, '{"c":1}'));
    expect(liftLine(line(2), LIFTS)).toBe(line(3));
    expect(liftLine(line(2, '{"b":1}'), LIFTS)).toBe(line(3, '{"c":1}'));
  });

  it("[SCH-13] leaves events of that version and later ones, of none, and of other types as they are", () => {
    for (const same of [line(3), line(4), line(null), line(1).replace('"type":"t"', '"type":"constructor"')])
      expect(liftLine(same, LIFTS)).toBe(same);
  });

  it("[SCH-13] leaves a dataschema of somebody else's as it is", () => {
    const other = line(1).replace("tidings:/v1/schemas/t/versions/1", "https://example.com/t.json");
    expect(JSON.parse(liftLine(other, LIFTS))).toMatchObject({
      dataschema: "https://example.com/t.json",
      schemaversion: 3,
    });
  });
});
