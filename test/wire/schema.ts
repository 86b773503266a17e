/** The official CloudEvents JSON schema as the judge of what the hub puts on the wire. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import Ajv from "ajv";
import addFormats from "ajv-formats";
import { expect } from "vitest";
import type { DraftDefaults } from "../../src/core/draft-builder.ts";
import { formatEventLine, type EventDraft, type EventPosition } from "../../src/core/event.ts";
import type { Result } from "../../src/core/result.ts";

const SCHEMA_FILE = join(import.meta.dirname, "../data/cloudevents.schema.json");
const ajv = new Ajv({ strict: false });
addFormats(ajv);
const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA_FILE, "utf8")) as object);

export const DEFAULTS: DraftDefaults = { source: "/apps/default", traceparent: null };
export const POSITION: EventPosition = {
  topic: "order.created",
  partition: 0,
  offset: 7,
  appendedAt: "2026-11-18T11:06:40.000Z",
  keyVersion: 2,
};

/** The draft's line in a log, held against the schema, and its value. */
export function lineOf(draft: EventDraft): { line: string; event: Record<string, unknown> } {
  const line = formatEventLine(draft, draft.id ?? "0192d5b4-0000-7000-8000-000000000000", POSITION);
  const event = JSON.parse(line) as Record<string, unknown>;
  expect(line).not.toMatch(/[\n\r]/);
  expect(validate(event), JSON.stringify(validate.errors)).toBe(true);
  return { line, event };
}

/** The value, or a failed test that shows the failure. */
export function valueOf<T>(result: Result<T>): T {
  expect(result).toMatchObject({ ok: true });
  return (result as { value: T }).value;
}

/** The refusal's code and the pointers that it names. */
export function refusalOf(result: Result<unknown>): { code: string; pointers: string[] } {
  expect(result.ok).toBe(false);
  const { failure } = result as Extract<Result<unknown>, { ok: false }>;
  return { code: failure.code, pointers: (failure.errors ?? []).map((error) => error.pointer) };
}
