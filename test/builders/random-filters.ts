/** Events and filters from one small vocabulary, so that about as many pairs fit as do not. */
import type { FilterPattern } from "../../src/core/filter-pattern.ts";
import { pick } from "../wire/random-json.ts";

const STATES = ["open", "Open", "paid", "shipped", "", "open*"];
const ADDRESSES = ["10.0.0.7", "10.0.1.7", "192.168.0.1", "::1", "nowhere"];
const NUMBERS = [0, 1, 99.5, 100, 101, -3];
const KINDS = ["order.created", "order.paid", "stock.low"];

/** A draft; members are absent now and then. */
export function randomDraft(random: () => number, id: string): object {
  const maybe = <T>(value: T): T | undefined => (random() < 0.8 ? value : undefined);
  const line = () => ({ sku: maybe(pick(random, ["a", "b"])), count: maybe(pick(random, NUMBERS)) });
  return {
    id,
    type: pick(random, KINDS),
    key: maybe(pick(random, ["k1", "k2"])),
    subject: maybe(pick(random, ["EU/1", "eu/2", "us/1"])),
    data: {
      state: maybe(pick<unknown>(random, [...STATES, null, ["open", "paid"]])),
      total: maybe(pick<unknown>(random, [...NUMBERS, "100", true])),
      ip: maybe(pick(random, ADDRESSES)),
      lines: maybe(Array.from({ length: Math.floor(random() * 3) }, line)),
    },
  };
}

export function randomFilter(random: () => number): FilterPattern {
  const members: Record<string, FilterPattern[string]> = {};
  const count = 1 + Math.floor(random() * 2);
  for (let member = 0; member < count; member += 1) {
    const [name, make] = pick(random, MEMBERS);
    members[name] = make(random);
  }
  return members;
}

type Make = (random: () => number) => FilterPattern[string];

const text =
  (values: readonly string[]): Make =>
  (random) => {
    const value = pick(random, values);
    const part = value.slice(0, 2);
    const isWild = !value.includes("*");
    return pick<FilterPattern[string]>(random, [
      [value],
      [value, null],
      [{ prefix: part }],
      [{ prefix: { "equals-ignore-case": part.toUpperCase() } }],
      [{ suffix: value.slice(-1) }],
      [{ "equals-ignore-case": value.toUpperCase() }],
      [{ wildcard: isWild ? `${part}*` : "*" }],
      [{ "anything-but": value === "" ? "x" : value }],
      [{ "anything-but": { prefix: part === "" ? "x" : part } }],
      [{ exists: random() < 0.5 }],
      [value, { exists: false }],
    ]);
  };

const number: Make = (random) => {
  const bound = pick(random, NUMBERS);
  return pick<FilterPattern[string]>(random, [
    [bound],
    [{ numeric: [">", bound] }],
    [{ numeric: ["<=", bound] }],
    [{ numeric: [">=", bound, "<", bound + 50] }],
    [{ "anything-but": [bound, 1] }],
    [{ exists: random() < 0.5 }],
  ]);
};

const address: Make = (random) => [
  { cidr: pick(random, ["10.0.0.0/24", "10.0.0.0/8", "0.0.0.0/0", "::/0", "192.168.0.1/32"]) },
];

const data: Make = (random) => {
  const [name, make] = pick(random, DATA);
  return { [name]: make(random) };
};

const lines: Make = (random) => ({ sku: text(["a", "b"])(random), count: number(random) });

const DATA: readonly (readonly [string, Make])[] = [
  ["state", text(STATES)],
  ["total", number],
  ["ip", address],
  ["lines", lines],
];

const MEMBERS: readonly (readonly [string, Make])[] = [
  ["type", text(KINDS)],
  ["key", text(["k1", "k2"])],
  ["subject", text(["EU/1", "us/1"])],
  ["data", data],
  ["data", data],
  ["$or", (random) => [{ data: data(random) as FilterPattern }, { type: text(KINDS)(random) }]],
];
