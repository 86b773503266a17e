import { describe, expect, it } from "vitest";
import { isTopicPattern } from "../../src/core/names.ts";
import {
  allowsSubscription,
  allowsTopic,
  coversScope,
  formatScope,
  parseScope,
  type Action,
  type Scope,
} from "../../src/core/scope.ts";
import { seededRandom } from "../harness/random.ts";

const ACTIONS: readonly Action[] = ["publish", "subscribe", "presence", "history", "manage", "redrive"];
const scope = (text: string): Scope => parseScope(text)!;

describe("a scope", () => {
  it.each([...ACTIONS.map((action) => `${action}:order.*`), "admin", "manage:subscriptions", "subscribe:$audit"])(
    "[ACC-4] %s is one, and reads back the same",
    (text) => {
      expect(formatScope(scope(text))).toBe(text);
    },
  );

  it.each([
    "",
    "publish",
    "publish:",
    ":order",
    "Publish:order",
    "publish :order",
    "publish: order",
    "admin:**",
    "admin:",
    "read:order",
    "publish:**.a",
    "publish:a/b",
    "publish:order.*\n",
    "__proto__:a",
    "constructor:a",
  ])("[ACC-4] %j is none", (text) => {
    expect(parseScope(text)).toBeNull();
  });

  it.each<[string, Action, string, boolean]>([
    ["publish:order.*", "publish", "order.created", true],
    ["publish:order.*", "publish", "order.created.eu", false],
    ["publish:order.*", "publish", "orders", false],
    ["publish:order.*", "publish", "order", false],
    ["publish:**", "publish", "anything.at.all", true],
    ["publish:**", "publish", "$audit", false],
    ["publish:**", "subscribe", "order", false],
    ["publish:**", "history", "order", false],
    ["publish:**", "manage", "order", false],
    ["subscribe:chat.**", "subscribe", "chat.room", true],
    ["subscribe:chat.**", "history", "chat.room", true],
    ["subscribe:chat.**", "presence", "chat.room", false],
    ["history:chat.**", "subscribe", "chat.room", false],
    ["subscribe:$**", "subscribe", "$audit", true],
    ["manage:subscriptions", "manage", "subscriptions", false],
    ["redrive:subscriptions", "redrive", "subscriptions", false],
    ["publish:subscriptions", "publish", "subscriptions", true],
    ["presence:presence-*", "presence", "presence-room", true],
    ["admin", "publish", "order", true],
    ["admin", "subscribe", "$audit", true],
  ])("[ACC-4] %s allows to %s %s: %s", (text, action, topic, allowed) => {
    expect(allowsTopic([scope(text)], action, topic)).toBe(allowed);
  });

  it("[ACC-4] without any nothing is allowed", () => {
    for (const action of ACTIONS) expect(allowsTopic([], action, "order")).toBe(false);
    expect(allowsSubscription([], "manage", ["order"])).toBe(false);
  });

  it.each<[string[], string[], boolean]>([
    [["manage:subscriptions"], ["**", "order.*"], true],
    [["manage:subscriptions"], ["$audit"], false],
    [["manage:order.**"], ["order.*", "order.created"], true],
    [["manage:order.**"], ["order.*", "chat.*"], false],
    [["manage:order.*"], ["order.**"], false],
    [["manage:order.*", "manage:chat.*"], ["order.*", "chat.room"], true],
    [["redrive:subscriptions"], ["order"], false],
    [["publish:**"], ["order"], false],
    [["admin"], ["**", "$audit"], true],
  ])("[ACC-4] %j may manage a subscription of %j: %s", (scopes, topics, allowed) => {
    expect(allowsSubscription(scopes.map(scope), "manage", topics)).toBe(allowed);
  });

  it.each<[string, string, boolean]>([
    ["publish:order.**", "publish:order.*", true],
    ["publish:order.*", "publish:order.**", false],
    ["subscribe:order.*", "history:order.*", true],
    ["history:order.*", "subscribe:order.*", false],
    ["manage:**", "manage:subscriptions", false],
    ["manage:subscriptions", "manage:**", false],
    ["manage:subscriptions", "manage:subscriptions", true],
    ["publish:**", "admin", false],
    ["admin", "admin", true],
    ["admin", "redrive:**", true],
    ["publish:**", "publish:$audit", false],
  ])("[ACC-5] %s covers %s: %s", (held, asked, covered) => {
    expect(coversScope([scope(held)], scope(asked))).toBe(covered);
  });

  it("[ACC-5] that covers another allows everything that the other allows", () => {
    const seed = Date.now() % 1_000_000;
    const random = seededRandom(seed);
    const pick = <T>(of: readonly T[]): T => of[Math.floor(random() * of.length)]!;
    const words = ["a", "b", "ab", "", "*", "a*", "subscriptions"];
    const text = (): string => {
      const count = 1 + Math.floor(random() * 3);
      const parts = Array.from({ length: count }, () => pick(words));
      if (random() < 0.3) parts.push("**");
      return (random() < 0.15 ? "$" : "") + parts.join(".");
    };
    const pattern = (): string => {
      const made = text();
      return isTopicPattern(made) ? made : pattern();
    };
    const topic = (): string => pattern().replaceAll("*", pick(["", "a", "b"]));
    const any = (): Scope => (random() < 0.05 ? scope("admin") : { action: pick(ACTIONS), pattern: pattern() });
    let covered = 0;
    let allowed = 0;
    for (let round = 0; round < 30_000; round += 1) {
      const [held, asked] = [[any(), any()], any()];
      if (!coversScope(held, asked)) continue;
      covered += 1;
      const name = topic();
      for (const action of ACTIONS) {
        if (!allowsTopic([asked], action, name)) continue;
        allowed += 1;
        expect(allowsTopic(held, action, name), `seed ${seed}: ${JSON.stringify([held, asked, action, name])}`).toBe(
          true,
        );
      }
      for (const action of ["manage", "redrive"] as const) {
        const topics = [pattern(), name].filter((each) => each !== "");
        if (!allowsSubscription([asked], action, topics)) continue;
        allowed += 1;
        expect(allowsSubscription(held, action, topics), `seed ${seed}: ${JSON.stringify([held, asked, topics])}`).toBe(
          true,
        );
      }
    }
    expect(covered).toBeGreaterThan(1_000);
    expect(allowed).toBeGreaterThan(500); // Else it would have proven nothing.
  });
});
