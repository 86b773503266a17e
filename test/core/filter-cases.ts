/**
 * Cases written from the documentation of EventBridge's event patterns: what each operator takes and what it leaves.
 * A value stands at `data.x` of an event, and the operand's leaf is `{ data: { x: [leaf] } }`.
 */
export interface LeafCases {
  readonly leaf: unknown;
  readonly takes: readonly unknown[];
  readonly leaves: readonly unknown[];
}

/** The member itself is not there. */
export const ABSENT = Symbol("absent");

const OTHER_KINDS = [0, 1, true, false, null, {}, [], ABSENT] as const;

export const LEAF_CASES: readonly LeafCases[] = [
  // Exact matching: character by character, without folding; kinds are told apart.
  {
    leaf: "running",
    takes: ["running", ["running"], ["a", "running"]],
    leaves: ["Running", "running ", "", ...OTHER_KINDS],
  },
  { leaf: "", takes: ["", ["a", ""]], leaves: [" ", "a", ...OTHER_KINDS] },
  { leaf: 100, takes: [100, 100.0, 1e2, [1, 100]], leaves: ["100", 101, -100, 100.5, true, null, [], ABSENT] },
  { leaf: 0, takes: [0, -0, [0]], leaves: ["0", "", false, null, ABSENT] },
  { leaf: -1.5, takes: [-1.5], leaves: [1.5, "-1.5", -1, ABSENT] },
  { leaf: true, takes: [true, [false, true]], leaves: ["true", 1, false, null, {}, [], ABSENT] },
  { leaf: false, takes: [false], leaves: ["false", 0, "", null, true, [], ABSENT] },
  { leaf: null, takes: [null, [null], ["a", null]], leaves: ["null", "", 0, false, {}, [], ABSENT] },
  { leaf: "é", takes: ["é"], leaves: ["e", "e\u0301", "É"] },

  // Prefix and suffix: strings only.
  {
    leaf: { prefix: "us-" },
    takes: ["us-", "us-east-1", ["eu", "us-west"]],
    leaves: ["us", "US-east", "a us-", ...OTHER_KINDS],
  },
  { leaf: { prefix: "" }, takes: ["", "anything"], leaves: OTHER_KINDS },
  { leaf: { prefix: "1" }, takes: ["1", "12"], leaves: [1, 12, "21", ABSENT] },
  {
    leaf: { suffix: ".png" },
    takes: [".png", "a.png", ["a.txt", "b.png"]],
    leaves: ["png", "a.PNG", "a.png ", ...OTHER_KINDS],
  },
  { leaf: { suffix: "" }, takes: ["", "anything"], leaves: OTHER_KINDS },
  {
    leaf: { prefix: { "equals-ignore-case": "EventB" } },
    takes: ["eventb", "EVENTBridge", "EventB"],
    leaves: ["event", "an EventB", ...OTHER_KINDS],
  },
  {
    leaf: { suffix: { "equals-ignore-case": "tBridge" } },
    takes: ["tbridge", "EVENTBRIDGE", "EventBridge"],
    leaves: ["bridge", "EventBridge!", ...OTHER_KINDS],
  },

  // Whatever its case.
  {
    leaf: { "equals-ignore-case": "Alice" },
    takes: ["alice", "ALICE", "aLiCe", ["bob", "ALICE"]],
    leaves: ["alice ", "alic", "", ...OTHER_KINDS],
  },

  // Wildcards: a star is any text or none; a backslash makes it a star.
  {
    leaf: { wildcard: "dir/*.png" },
    takes: ["dir/a.png", "dir/.png", "dir/a/b.png"],
    leaves: ["dir/a.jpg", "dir.png", "a/dir/a.png", ...OTHER_KINDS],
  },
  { leaf: { wildcard: "*" }, takes: ["", "a", "*"], leaves: OTHER_KINDS },
  { leaf: { wildcard: "a*b*c" }, takes: ["abc", "a1b2c", "abbcc", "acbc"], leaves: ["ac", "ab", "acb", "bac", "abcd"] },
  { leaf: { wildcard: "*ab" }, takes: ["ab", "aab", "abab"], leaves: ["aba", "b", ""] },
  { leaf: { wildcard: "ab*" }, takes: ["ab", "abc"], leaves: ["a", "cab"] },
  { leaf: { wildcard: "a*a" }, takes: ["aa", "aba"], leaves: ["a", "ab"] },
  { leaf: { wildcard: "ab*ba" }, takes: ["abba", "ab-ba"], leaves: ["aba", "ab", "abab"] },
  { leaf: { wildcard: "a*bc*c" }, takes: ["abcc", "a-bc-c"], leaves: ["abc", "acbc"] },
  { leaf: { wildcard: "plain" }, takes: ["plain"], leaves: ["plainly", "Plain"] },
  { leaf: { wildcard: "\\*" }, takes: ["*"], leaves: ["", "a", "\\*"] },
  { leaf: { wildcard: "a\\*b*" }, takes: ["a*b", "a*bc"], leaves: ["ab", "axb"] },
  { leaf: { wildcard: "a\\\\*" }, takes: ["a\\", "a\\b"], leaves: ["a", "a*"] },
  { leaf: { wildcard: ".*" }, takes: [".", ".a"], leaves: ["a", ""] },

  // Anything but: of any kind, as long as something is there.
  {
    leaf: { "anything-but": "initializing" },
    takes: ["running", "", "Initializing", 0, true, null, ["initializing", "running"]],
    leaves: ["initializing", ["initializing"], [], {}, ABSENT],
  },
  { leaf: { "anything-but": 123 }, takes: [124, "123", null, true, [123, 1]], leaves: [123, 123.0, [123], [], ABSENT] },
  {
    leaf: { "anything-but": ["stopped", "overloaded"] },
    takes: ["running", "stop", 1, null, ["stopped", "running"]],
    leaves: ["stopped", "overloaded", ["stopped", "overloaded"], [], ABSENT],
  },
  { leaf: { "anything-but": [100, 200, 300] }, takes: [101, "100", null], leaves: [100, 200, 3e2, [100, 200], ABSENT] },
  {
    leaf: { "anything-but": { prefix: "init" } },
    takes: ["running", "Init", "", 1, null],
    leaves: ["init", "initializing", ["init"], ABSENT],
  },
  {
    leaf: { "anything-but": { prefix: ["init", "stop"] } },
    takes: ["running", 1],
    leaves: ["init", "stopped", ABSENT],
  },
  { leaf: { "anything-but": { suffix: ".png" } }, takes: ["a.txt", "a.PNG", 1], leaves: ["a.png", ".png", ABSENT] },
  {
    leaf: { "anything-but": { suffix: [".txt", ".rtf"] } },
    takes: ["a.png", null],
    leaves: ["a.txt", "a.rtf", ABSENT],
  },
  {
    leaf: { "anything-but": { wildcard: "*/lib/*" } },
    takes: ["/usr/bin/x", "lib"],
    leaves: ["/usr/lib/x", "/lib/", ABSENT],
  },
  {
    leaf: { "anything-but": { wildcard: ["*/lib/*", "*/bin/*"] } },
    takes: ["/etc/x"],
    leaves: ["/usr/lib/x", "/usr/bin/x", ABSENT],
  },
  {
    leaf: { "anything-but": { "equals-ignore-case": "initializing" } },
    takes: ["running", 1],
    leaves: ["INITIALIZING", "initializing", ABSENT],
  },
  {
    leaf: { "anything-but": { "equals-ignore-case": ["initializing", "stopped"] } },
    takes: ["running"],
    leaves: ["STOPPED", "Initializing", ABSENT],
  },

  // Numbers: one bound or two.
  {
    leaf: { numeric: [">", 0, "<=", 5] },
    takes: [0.1, 1, 5, [9, 5]],
    leaves: [0, -1, 5.000001, "3", null, true, [], ABSENT],
  },
  { leaf: { numeric: [">=", 0, "<", 5] }, takes: [0, -0, 4.999999], leaves: [-0.000001, 5, ABSENT] },
  { leaf: { numeric: ["<", 10] }, takes: [9.99, -1e9], leaves: [10, 11, "9", ABSENT] },
  { leaf: { numeric: ["<=", 10] }, takes: [10, 9], leaves: [10.01, ABSENT] },
  { leaf: { numeric: [">", -10] }, takes: [-9.99, 0], leaves: [-10, -11] },
  { leaf: { numeric: [">=", 1e9] }, takes: [1e9, 5e9], leaves: [999_999_999] },
  { leaf: { numeric: ["=", 3.018e2] }, takes: [301.8], leaves: [301.80001, "301.8", 302, ABSENT] },
  { leaf: { numeric: ["=", 0] }, takes: [0, -0], leaves: [null, false, "", ABSENT] },

  // Blocks of addresses.
  {
    leaf: { cidr: "10.0.0.0/24" },
    takes: ["10.0.0.0", "10.0.0.255", ["1.1.1.1", "10.0.0.7"]],
    leaves: ["10.0.1.0", "9.255.255.255", "10.0.0", "10.0.0.256", "x", 10, null, ABSENT],
  },
  { leaf: { cidr: "10.0.0.0/8" }, takes: ["10.255.255.255"], leaves: ["11.0.0.0"] },
  { leaf: { cidr: "0.0.0.0/0" }, takes: ["1.2.3.4", "255.255.255.255"], leaves: ["::1", "1.2.3"] },
  { leaf: { cidr: "192.168.7.9/32" }, takes: ["192.168.7.9"], leaves: ["192.168.7.8"] },
  { leaf: { cidr: "192.168.7.9/31" }, takes: ["192.168.7.8", "192.168.7.9"], leaves: ["192.168.7.10"] },
  { leaf: { cidr: "2001:db8::/32" }, takes: ["2001:db8::", "2001:DB8:ffff::1"], leaves: ["2001:db9::", "10.0.0.1"] },
  { leaf: { cidr: "::1/128" }, takes: ["::1", "0:0:0:0:0:0:0:1"], leaves: ["::2", "::"] },

  // Exists: only where a value stands. An object is none.
  {
    leaf: { exists: true },
    takes: ["", "a", 0, false, null, [0], ["a", {}]],
    leaves: [{}, { c1: 100 }, [], [{}], ABSENT],
  },
  { leaf: { exists: false }, takes: [ABSENT, {}, { c1: 100 }, [], [[]]], leaves: ["", 0, false, null, [0]] },
];

/** Cases of more than one leaf. */
export interface EventCase {
  readonly says: string;
  readonly pattern: unknown;
  readonly takes: readonly object[];
  readonly leaves: readonly object[];
}

export const EVENT_CASES: readonly EventCase[] = [
  {
    says: "one of several values and operators",
    pattern: { data: { x: ["a", { prefix: "b" }, { numeric: [">", 5] }, null] } },
    takes: [{ data: { x: "a" } }, { data: { x: "bc" } }, { data: { x: 6 } }, { data: { x: null } }],
    leaves: [{ data: { x: "c" } }, { data: { x: 5 } }, { data: {} }, {}],
  },
  {
    says: "all members of an object",
    pattern: { source: ["/shop"], data: { state: ["open"], total: [{ numeric: [">", 10] }] } },
    takes: [{ source: "/shop", data: { state: "open", total: 11, more: 1 } }],
    leaves: [
      { source: "/other", data: { state: "open", total: 11 } },
      { source: "/shop", data: { state: "open", total: 10 } },
      { source: "/shop", data: { state: "open" } },
      { source: "/shop" },
    ],
  },
  {
    says: "a value, or none at all",
    pattern: { data: { x: ["a", { exists: false }] } },
    takes: [{ data: { x: "a" } }, { data: {} }, {}, { data: null }, { data: 5 }, { data: [] }],
    leaves: [{ data: { x: "b" } }, { data: { x: null } }],
  },
  {
    says: "absence below what is absent itself",
    pattern: { data: { a: { b: [{ exists: false }] } } },
    takes: [{}, { data: {} }, { data: { a: 1 } }, { data: { a: { c: 1 } } }, { data: { a: [] } }],
    leaves: [{ data: { a: { b: 1 } } }, { data: { a: [{ c: 1 }, { b: 1 }] } }],
  },
  {
    says: "members of the same element of a list",
    pattern: { data: { lines: { sku: ["b"], gift: [true] } } },
    takes: [
      { data: { lines: [{ sku: "a" }, { sku: "b", gift: true }] } },
      { data: { lines: { sku: "b", gift: true } } },
    ],
    leaves: [{ data: { lines: [{ sku: "b" }, { sku: "a", gift: true }] } }, { data: { lines: [] } }],
  },
  {
    says: "lists within lists",
    pattern: { data: { a: { b: { c: ["x"] } } } },
    takes: [{ data: { a: [{ b: [{ c: "y" }, { c: ["z", "x"] }] }] } }, { data: { a: [[{ b: { c: [["x"]] } }]] } }],
    leaves: [{ data: { a: [{ b: [{ c: "y" }] }, { c: "x" }] } }, { data: { a: ["x"] } }],
  },
  {
    says: "one of two alternatives, beside what must hold",
    pattern: { source: ["/cw"], $or: [{ data: { metric: ["cpu"] } }, { data: { space: ["ec2"] } }] },
    takes: [
      { source: "/cw", data: { metric: "cpu" } },
      { source: "/cw", data: { space: "ec2" } },
      { source: "/cw", data: { metric: "cpu", space: "ec2" } },
    ],
    leaves: [{ source: "/cw", data: { metric: "disk" } }, { source: "/x", data: { metric: "cpu" } }, { source: "/cw" }],
  },
  {
    says: "alternatives on two levels at once",
    pattern: {
      $or: [{ type: ["a"] }, { subject: ["s"] }],
      data: { $or: [{ x: [1] }, { y: [2] }] },
    },
    takes: [
      { type: "a", data: { x: 1 } },
      { subject: "s", data: { y: 2 } },
    ],
    leaves: [
      { type: "a", data: { x: 2 } },
      { type: "b", data: { x: 1 } },
      { type: "a", subject: "s" },
    ],
  },
  {
    says: "an alternative of several members, with alternatives inside",
    pattern: {
      $or: [
        { data: { name: ["cpu"] } },
        { data: { kind: ["k"], space: ["s"], $or: [{ id: [1_234] }, { place: [1_000] }] } },
        { data: { scope: ["service"] } },
      ],
    },
    takes: [
      { data: { name: "cpu" } },
      { data: { kind: "k", space: "s", id: 1_234 } },
      { data: { kind: "k", space: "s", place: 1_000 } },
      { data: { scope: "service" } },
    ],
    leaves: [{ data: { kind: "k", space: "s" } }, { data: { kind: "k", id: 1_234 } }, { data: {} }],
  },
  {
    says: "alternatives inside the elements of a list",
    pattern: { data: { lines: { $or: [{ sku: ["a"] }, { gift: [true] }], count: [{ numeric: [">", 1] }] } } },
    takes: [{ data: { lines: [{ sku: "b" }, { gift: true, count: 2 }] } }],
    leaves: [{ data: { lines: [{ sku: "a", count: 1 }, { count: 2 }] } }],
  },
  {
    says: "the key under both of its names, in alternatives too",
    pattern: { $or: [{ key: ["k1"] }, { partitionkey: [{ prefix: "k2" }] }] },
    takes: [{ partitionkey: "k1" }, { partitionkey: "k22" }],
    leaves: [{ partitionkey: "k3" }, { key: "k1" }],
  },
  {
    says: "the documentation's example of many at once",
    pattern: {
      time: [{ prefix: "2017-10-02" }],
      data: {
        state: [{ "anything-but": "initializing" }],
        "c-count": [{ numeric: [">", 0, "<=", 5] }],
        "d-count": [{ numeric: ["<", 10] }],
        "x-limit": [{ "anything-but": [100, 200, 300] }],
        "source-ip": [{ cidr: "10.0.0.0/8" }],
      },
    },
    takes: [
      {
        time: "2017-10-02T18:43:48Z",
        data: { state: "running", "c-count": 5, "d-count": 3, "x-limit": 301.8, "source-ip": "10.0.0.33" },
      },
    ],
    leaves: [
      {
        time: "2017-10-02T18:43:48Z",
        data: { state: "running", "c-count": 5, "d-count": 3, "x-limit": 300, "source-ip": "10.0.0.33" },
      },
      {
        time: "2017-10-02T18:43:48Z",
        data: { state: "running", "c-count": 5, "d-count": 3, "x-limit": 301.8, "source-ip": "11.0.0.33" },
      },
    ],
  },
  {
    says: "members that every object inherits only when they are its own",
    pattern: { data: { toString: [{ exists: false }] } },
    takes: [{ data: {} }, { data: { a: 1 } }],
    leaves: [{ data: { toString: "x" } }],
  },
];

/** What is no filter, and where it is said. */
export const BAD_PATTERNS: readonly (readonly [pattern: unknown, pointer: string])[] = [
  [{ x: [{ unheard: "a" }] }, "/x/0"],
  [{ x: [{ regex: "a.*" }] }, "/x/0"],
  [{ x: [{}] }, "/x/0"],
  [{ x: [{ prefix: "a", suffix: "b" }] }, "/x/0"],
  [{ x: [["a"]] }, "/x/0"],
  [{ x: [{ constructor: "a" }] }, "/x/0"],
  [{ x: [{ toString: "a" }] }, "/x/0"],
  [{ x: [{ prefix: 5 }] }, "/x/0/prefix"],
  [{ x: [{ prefix: null }] }, "/x/0/prefix"],
  [{ x: [{ prefix: ["a"] }] }, "/x/0/prefix"],
  [{ x: [{ prefix: { "equals-ignore-case": 1 } }] }, "/x/0/prefix"],
  [{ x: [{ prefix: { wildcard: "a" } }] }, "/x/0/prefix"],
  [{ x: ["a", { suffix: false }] }, "/x/1/suffix"],
  [{ x: [{ "equals-ignore-case": ["a"] }] }, "/x/0/equals-ignore-case"],
  [{ x: [{ wildcard: "a**b" }] }, "/x/0/wildcard"],
  [{ x: [{ wildcard: "a\\b" }] }, "/x/0/wildcard"],
  [{ x: [{ wildcard: "a\\" }] }, "/x/0/wildcard"],
  [{ x: [{ wildcard: 7 }] }, "/x/0/wildcard"],
  [{ x: [{ "anything-but": null }] }, "/x/0/anything-but"],
  [{ x: [{ "anything-but": true }] }, "/x/0/anything-but"],
  [{ x: [{ "anything-but": [] }] }, "/x/0/anything-but"],
  [{ x: [{ "anything-but": ["a", 1] }] }, "/x/0/anything-but"],
  [{ x: [{ "anything-but": [null] }] }, "/x/0/anything-but"],
  [{ x: [{ "anything-but": {} }] }, "/x/0/anything-but"],
  [{ x: [{ "anything-but": { numeric: [">", 1] } }] }, "/x/0/anything-but"],
  [{ x: [{ "anything-but": { prefix: "" } }] }, "/x/0/anything-but"],
  [{ x: [{ "anything-but": { prefix: [] } }] }, "/x/0/anything-but"],
  [{ x: [{ "anything-but": { prefix: "a", suffix: "b" } }] }, "/x/0/anything-but"],
  [{ x: [{ "anything-but": { wildcard: "a**" } }] }, "/x/0/anything-but"],
  [{ x: [{ exists: "true" }] }, "/x/0/exists"],
  [{ x: [{ exists: 1 }] }, "/x/0/exists"],
  [{ x: [{ numeric: [] }] }, "/x/0/numeric"],
  [{ x: [{ numeric: [">"] }] }, "/x/0/numeric"],
  [{ x: [{ numeric: [">", "1"] }] }, "/x/0/numeric"],
  [{ x: [{ numeric: ["!=", 1] }] }, "/x/0/numeric"],
  [{ x: [{ numeric: [">", 1, ">", 2] }] }, "/x/0/numeric"],
  [{ x: [{ numeric: ["<", 5, ">", 1] }] }, "/x/0/numeric"],
  [{ x: [{ numeric: [">", 5, "<", 5] }] }, "/x/0/numeric"],
  [{ x: [{ numeric: [">", 1, "<", 5, "=", 3] }] }, "/x/0/numeric"],
  [{ x: [{ numeric: 5 }] }, "/x/0/numeric"],
  [{ x: [{ cidr: "10.0.0.0" }] }, "/x/0/cidr"],
  [{ x: [{ cidr: "10.0.0.0/33" }] }, "/x/0/cidr"],
  [{ x: [{ cidr: "10.0.0.0/-1" }] }, "/x/0/cidr"],
  [{ x: [{ cidr: "10.0.0.0/x" }] }, "/x/0/cidr"],
  [{ x: [{ cidr: "10.0.0/24" }] }, "/x/0/cidr"],
  [{ x: [{ cidr: "::/129" }] }, "/x/0/cidr"],
  [{ x: [{ cidr: 10 }] }, "/x/0/cidr"],
  [{ $or: [{ x: ["a"] }] }, "/$or"],
  [{ $or: [] }, "/$or"],
  [{ $or: { x: ["a"] } }, "/$or"],
  [{ $or: [{ x: ["a"] }, {}] }, "/$or/1"],
  [{ $or: [{ x: ["a"] }, ["b"]] }, "/$or/1"],
  [{ $or: [{ x: ["a"] }, { y: "b" }] }, "/$or/1/y"],
  [{ $and: [{ x: ["a"] }, { y: ["b"] }] }, "/$and"],
  [{ data: { $regex: ["a"] } }, "/data/$regex"],
  [{ "a/b~c": [{}] }, "/a~1b~0c/0"],
];
