import { describe, expect, it } from "vitest";
import { patternProblem } from "../../src/core/schema-pattern.ts";
import { seededRandom } from "../harness/random.ts";

describe("a schema's pattern", () => {
  it.each([
    "^[A-Z]{3}$",
    "^ORD-[0-9]+$",
    "^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$",
    "^(RED|REFUND|EUR)$",
    "^\\d{4}-\\d{2}-\\d{2}$",
    "^[^@\\s]+@[^@\\s.]+(\\.[^@\\s.]+)+$",
    "^(ab*c)*$",
    "^[a-z][a-z0-9]*(-[a-z0-9]+)*$",
    "^-?(0|[1-9][0-9]*)(\\.[0-9]+)?$",
    "^\\p{L}{1,20}$",
    "^.*$",
    "^a{2,5}b{0,3}$",
    "@",
    "[0-9]{3}",
    "\\u{1F600}",
    "^$",
    "",
  ])("[SCH-3] %s is taken", (source) => {
    expect(patternProblem(source)).toBeNull();
  });

  it.each([
    "^(a+)+$",
    "^(a*)*$",
    "^(a|a)*$",
    "^(a|ab)*c$",
    "^(a?b?)*c$",
    "^(a?)*$",
    "^a*a*$",
    "^.*foo.*$",
    "^[a-z]*[a-m]x$",
    "^(?:a?){50}a{50}$",
    "^(x+x+)+y$",
    "^([a-z]+)*@$",
    "^(RED|REDDISH)+$",
    "(a|b)+$",
    "[a-z]+",
    "^(a)\\1$",
    "^(?=a)a$",
    "^(?<!a)b$",
    "^a+?$",
    "\\bword\\b",
    "^a|b$",
    "a^b",
    "a$b",
    "^a{1000}$",
    "^((((a{9}){9}){9}){9})$",
    "^(?:){99999999}$",
    "(",
    "[z-a]",
    "a{2,1}",
    "\\ud83d",
    `^${"a".repeat(1_001)}$`,
  ])("[SCH-3] %s is refused", (source) => {
    expect(patternProblem(source)).toEqual(expect.any(String));
  });

  const SEED = Number(process.env["SEED"] ?? Date.now() % 100_000);

  it(`[SCH-3] what is taken is matched in a time that grows with the text only, by chance too (seed ${SEED})`, () => {
    const random = seededRandom(SEED);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!;
    const part = (depth: number): string => {
      if (depth === 0 || random() < 0.4) return pick(["a", "b", "[ab]", "[^b]", ".", "ab", "a?", "b*", "c"]);
      const inner = Array.from({ length: 1 + Math.floor(random() * 3) }, () => part(depth - 1)).join(
        pick(["", "", "|"]),
      );
      return `(${inner})${pick(["", "*", "+", "?", "{2,4}"])}`;
    };
    let taken = 0;
    const text = "ab".repeat(5_000);
    for (let round = 0; round < 1_500; round += 1) {
      const source = `^${part(3)}${part(2)}$`;
      if (patternProblem(source) !== null) continue;
      taken += 1;
      const pattern = new RegExp(source, "u");
      // One that went back and forth would take longer than anybody waits.
      for (const tried of [`${"a".repeat(10_000)}!`, `${text}!`, `${"b".repeat(10_000)}!`]) pattern.test(tried);
    }
    expect(taken).toBeGreaterThan(30);
  });
});
