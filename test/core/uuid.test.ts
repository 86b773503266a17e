import { expect, it } from "vitest";
import { uuidV7, uuidV7TimeMs } from "../../src/core/uuid.ts";
import { seededRandom } from "../harness/random.ts";
import { SEED } from "../wire/random-json.ts";

it("spells the example of RFC 9562, appendix A.6", () => {
  expect(uuidV7(0x017f22e279b0, "fcc358c4dc0c0c07398f")).toBe("017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
});

const hexDigits = (random: () => number): string =>
  Array.from({ length: 20 }, () => Math.floor(random() * 16).toString(16)).join("");

it(`sorts by time and gives the time back (seed ${SEED})`, () => {
  const random = seededRandom(SEED);
  const chosen = Array.from({ length: 500 }, () => Math.floor(random() * 2 ** 47));
  const times = chosen.toSorted((left, right) => left - right);
  const ids = times.map((ms) => uuidV7(ms, hexDigits(random)));
  expect(ids.toSorted()).toEqual(ids);
  expect(ids.map(uuidV7TimeMs)).toEqual(times);
});

it.each([
  "",
  "017f22e2-79b0-4cc3-98c4-dc0c0c07398f",
  "017f22e2-79b0-7cc3-c8c4-dc0c0c07398f",
  "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
  "017f22e279b07cc398c4dc0c0c07398f",
  "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
])("does not read a time from %j", (id) => {
  expect(uuidV7TimeMs(id)).toBeNull();
});
