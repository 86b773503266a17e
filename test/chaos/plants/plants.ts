/**
 * The bugs that the chaos suite must be able to see. Each stands beside the code that it spoils, not in it: the text as
 * it is in `src`, and what stands in its place while the bug is planted. `src` itself knows nothing of them.
 */

export interface Spoiled {
  /** Below `src`. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly text: string;
  /** An expression gives way to an expression, a statement (that declares nothing) to statements. */
  readonly kind: "expression" | "statement";
  readonly bug: string;
}

export interface Plant {
  readonly name: PlantName;
  readonly spoils: readonly Spoiled[];
}

export const PLANT_NAMES = [
  "acknowledge-before-commit",
  "skip-the-receipt",
  "advance-the-cursor-early",
  "reuse-an-offset",
  "dedup-by-d1-only",
  "alarm-that-throws",
  "no-re-arm",
  "follow-redirects",
  "ignore-the-epoch",
  "leave-by-member",
  "retention-past-a-cursor",
  "double-settle",
] as const;

export type PlantName = (typeof PLANT_NAMES)[number];

export const PLANTS: readonly Plant[] = [
  {
    // The publisher is answered, and followers are told, while the segment waits for a better moment.
    name: "acknowledge-before-commit",
    spoils: [
      {
        file: "durable-objects/topic-log/append.ts",
        text: "this.#bytesThrough = this.#log.segments.append(first, lines, this.#at, this.#bytesThrough, expiresAt);",
        kind: "statement",
        bug: `const [at, before] = [this.#at, this.#bytesThrough];
          setTimeout(() => void this.#log.segments.append(first, lines, at, before, expiresAt), 3_000);`,
      },
    ],
  },
  {
    // What a consumer has claimed counts as delivered.
    name: "skip-the-receipt",
    spoils: [
      {
        file: "durable-objects/subscription/claim.ts",
        text: "takeHold(ledger, { ...dispatch, claim, leaseUntil }, mayBeHeld);",
        kind: "statement",
        bug: `ledger.dispatches.remove(dispatch.id);
          for (const [source] of dispatch.deliveries) ledger.sources.count(source, { delivered: 1 });`,
      },
    ],
  },
  {
    // What there was no room for counts as examined.
    name: "advance-the-cursor-early",
    spoils: [
      {
        file: "core/ledger-take.ts",
        text: `if (admitted === "stops") return { events, waiting, through: examined };`,
        kind: "statement",
        bug: `if (admitted === "stops") return { events, waiting, through: batch.through };`,
      },
    ],
  },
  {
    // A log that retention has emptied forgets where it was.
    name: "reuse-an-offset",
    spoils: [
      {
        file: "durable-objects/topic-log/segment-store.ts",
        text: "if (last === undefined) return trim ?? NOTHING;",
        kind: "statement",
        bug: "if (last === undefined) return NOTHING;",
      },
    ],
  },
  {
    // The log no longer knows the ids that clients chose.
    name: "dedup-by-d1-only",
    spoils: [
      {
        file: "durable-objects/topic-log/named-events.ts",
        text: "this.#known.get(identity) ?? null",
        kind: "expression",
        bug: "null",
      },
      {
        file: "durable-objects/topic-log/append.ts",
        text: "draft.id !== null && fingerprint !== null",
        kind: "expression",
        bug: "false",
      },
    ],
  },
  {
    name: "alarm-that-throws",
    spoils: [
      {
        file: "durable-objects/subscription/ledger-object.ts",
        text: "this.timer.fired();",
        kind: "statement",
        bug: `throw new Error("planted");`,
      },
    ],
  },
  {
    // The ledger believes that the alarm which has just fired still stands.
    name: "no-re-arm",
    spoils: [{ file: "durable-objects/subscription/alarm.ts", text: "this.#at = null;", kind: "statement", bug: "" }],
  },
  {
    name: "follow-redirects",
    spoils: [{ file: "delivery/webhook.ts", text: `"manual"`, kind: "expression", bug: `"follow"` }],
  },
  {
    // A cursor of a topic's former life counts in the new one.
    name: "ignore-the-epoch",
    spoils: [
      {
        file: "durable-objects/topic-log/read.ts",
        text: "start.epoch !== null && start.epoch !== log.epoch",
        kind: "expression",
        bug: "false",
      },
    ],
  },
  {
    // Who closes one of two windows is gone.
    name: "leave-by-member",
    spoils: [
      {
        file: "core/roster.ts",
        text: "connections === 1 && leavesAt === null",
        kind: "expression",
        bug: "leavesAt === null",
      },
      { file: "core/roster.ts", text: "connections === 1 ? leavesAt : null", kind: "expression", bug: "leavesAt" },
    ],
  },
  {
    // What retention took before it was examined is not counted.
    name: "retention-past-a-cursor",
    spoils: [
      {
        file: "durable-objects/subscription/pump.ts",
        text: "gap === null ? source.examined : expireTrimmed(ledger, source, gap.firstHeld - 1)",
        kind: "expression",
        bug: "gap === null ? source.examined : gap.firstHeld - 1",
      },
    ],
  },
  {
    // What was settled before is settled once more.
    name: "double-settle",
    spoils: [
      {
        file: "durable-objects/subscription/settlement.ts",
        text: "this.#open.get(`${source}/${offset}`)",
        kind: "expression",
        bug: "this.#open.get(`${source}/${offset}`) ?? [source, offset, 1]",
      },
    ],
  },
];
