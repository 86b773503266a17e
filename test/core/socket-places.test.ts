import { describe, expect, it } from "vitest";
import { givePlaces, keepPlaces } from "../../src/core/socket-places.ts";

const ask = (limit: number, needed: number) => ({ subject: "app", limit, needed });

describe("places for sockets", () => {
  it("[WS-24] are given as far as the limit goes, and some to spare while there are many", () => {
    expect(givePlaces(ask(10, 1), 9, 1)).toBe(1);
    expect(givePlaces(ask(10, 1), 10, 1)).toBeNull();
    expect(givePlaces(ask(1_000, 100), 0, 3)).toBe(130);
    expect(givePlaces(ask(1_000, 1), 999, 0)).toBe(1);
  });

  it("[WS-24] that nobody uses are given back, those of upgrades under way are kept", () => {
    expect(keepPlaces({ sockets: 3, waiting: 0, held: 10 })).toBe(3);
    expect(keepPlaces({ sockets: 3, waiting: 2, held: 10 })).toBe(5);
    expect(keepPlaces({ sockets: 3, waiting: 2, held: 4 })).toBe(4); // The other waits for an answer yet.
    expect(keepPlaces({ sockets: 3, waiting: 2, held: 0 })).toBe(3); // It came before there was a limit.
  });
});
