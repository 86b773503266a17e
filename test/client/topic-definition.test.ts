import { expect, it } from "vitest";
import { defineTopic } from "../../src/client/client.ts";
import { isTopicName } from "../../src/core/names.ts";

const seat = defineTopic("rooms/:room/seats/:seat");
const room = (id: string): string => seat({ room: id, seat: 1 }).name;

it("[CLI-8] writes a slash as a dot, and parameters as people know them", () => {
  expect(seat({ room: "blue_room-7", seat: 4 }).name).toBe("rooms.blue_room-7.seats.4");
  expect(room("user:7@shop,eu;a")).toBe("rooms.user:7@shop,eu;a.seats.1");
  expect(defineTopic("lobby")().name).toBe("lobby");
  expect(defineTopic("presence-room-:id")({ id: "a" }).name).toBe("presence-room-a");
});

it("[CLI-8] keeps each parameter one word of a name that a topic can have, and different ones apart", () => {
  const nasty = ["a.b", "a=2Eb", "a/b", "é", "*", "**", " ", "(x)'!~", "%", "a%2Eb", "\u{1f600}", "$"];
  const names = nasty.map(room);
  for (const name of names) {
    expect(isTopicName(name), name).toBe(true);
    expect(name.split(".")).toHaveLength(4);
  }
  expect(new Set(names).size).toBe(nasty.length);
});

it("[CLI-8] refuses a parameter that is empty", () => {
  expect(() => room("")).toThrow(expect.objectContaining({ code: "topic_params_invalid" }));
});
