import { expect, it } from "vitest";
import { formatDrafts, parseDrafts } from "../../src/core/draft-text.ts";
import type { EventDraft } from "../../src/core/event.ts";
import { makeDraft } from "../builders/log.ts";

const DRAFTS: readonly EventDraft[] = [
  makeDraft(),
  makeDraft({ id: "order-1", key: "Zoë", time: "2026-11-21T10:00:00Z", attributes: ',"subject":"a\\nb"', data: "" }),
  makeDraft({ deliverAt: 1_795_000_000_000, ttlMs: 60_000, attributes: "" }),
  makeDraft({ key: "k", expectedKeyVersion: 3, data: ',"data":" \\u2028 \u2028 \u{1f600}"' }),
];

it("carries every field of every draft to the log", () => {
  expect(parseDrafts(formatDrafts(DRAFTS))).toEqual(DRAFTS);
});

it("leaves out where a draft stood in its request", () => {
  expect(parseDrafts(formatDrafts([makeDraft({ root: "/3" })]))).toEqual([makeDraft()]);
});

it("breaks rather than shift the fields of what should not hold a line break", () => {
  expect(() => parseDrafts(formatDrafts([makeDraft({ type: "two\nlines" })]))).toThrow("invariant");
});
