/** Reads the JSON of a definition member by member and gathers everything that is wrong, each with its pointer. */
import { parseDurationMs } from "../../core/duration.ts";
import type { ErrorCode, FieldError } from "../../core/errors.ts";
import { isForbiddenName } from "../../core/event-attributes.ts";
import { escapePointer } from "../../core/json-pointer.ts";
import { elements, isListText, isObjectText, members, parseJson, stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { fail, ok, type Result } from "../../core/result.ts";

/** JSON text by the name of its member; `null` counts as absent. */
export type Members = ReadonlyMap<string, string>;

interface Range {
  readonly min: number;
  readonly max: number;
}

export class DefinitionReader {
  readonly errors: FieldError[] = [];

  refuse(pointer: string, detail: string): void {
    this.errors.push({ pointer, detail });
  }

  /** The members of an object that may have those in `known` and no other. */
  object(raw: string, pointer: string, known: readonly string[]): Members {
    return this.openObject(raw, pointer, (name, at) => {
      if (!known.includes(name)) this.refuse(at, "There is no such member here.");
    });
  }

  /** The members of an object whose names `check` looks at. */
  openObject(raw: string, pointer: string, check: (name: string, pointer: string) => void): Members {
    const given = new Map<string, string>();
    if (!isObjectText(raw)) {
      this.refuse(pointer, "This is an object.");
      return given;
    }
    const seen = new Set<string>();
    for (const { name, raw: value } of members(raw)) {
      const at = `${pointer}/${escapePointer(name)}`;
      if (seen.has(name)) this.refuse(at, "This member stands twice.");
      else if (isForbiddenName(name)) this.refuse(at, "That name cannot stand here.");
      else check(name, at);
      seen.add(name);
      if (value !== "null") given.set(name, value);
    }
    return given;
  }

  list(raw: string, pointer: string, countMax: number): readonly string[] {
    const found = isListText(raw) ? elements(raw) : [];
    if (found.length < 1 || found.length > countMax) this.refuse(pointer, `This is a list of 1 to ${countMax} items.`);
    return found.slice(0, countMax);
  }

  integer(raw: string | undefined, pointer: string, { min, max }: Range): number | null {
    if (raw === undefined) return null;
    const value = JSON.parse(raw) as unknown;
    if (Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max) return value as number;
    const bounds = max === Number.MAX_SAFE_INTEGER ? `from ${min}` : `from ${min} to ${max}`;
    this.refuse(pointer, `This is a whole number ${bounds}.`);
    return null;
  }

  durationMs(raw: string | undefined, pointer: string, { min, max }: Range): number | null {
    if (raw === undefined) return null;
    const value = parseDurationMs(stringOf(raw));
    if (value !== null && value >= min && value <= max) return value;
    this.refuse(pointer, `This is a duration such as "500ms", "30s" or "7d", from ${min} ms to ${max} ms.`);
    return null;
  }

  boolean(raw: string | undefined, pointer: string): boolean | null {
    if (raw === undefined) return null;
    if (raw === "true" || raw === "false") return raw === "true";
    this.refuse(pointer, "This is true or false.");
    return null;
  }

  text(raw: string | undefined, pointer: string, charsMax: number): string | null {
    if (raw === undefined) return null;
    const value = stringOf(raw);
    if (value !== null && value.length <= charsMax) return value;
    this.refuse(pointer, `This is a string of at most ${charsMax} characters.`);
    return null;
  }

  /** One of `offered`; what a later release brings is refused by name, so that nobody believes it was heard. */
  choice<Choice extends string>(
    raw: string | undefined,
    pointer: string,
    offered: readonly Choice[],
    later: readonly string[],
  ): Choice | null {
    if (raw === undefined) return null;
    const value = stringOf(raw);
    const chosen = offered.find((choice) => choice === value);
    if (chosen !== undefined) return chosen;
    const isLater = value !== null && later.includes(value);
    this.refuse(pointer, isLater ? NOT_OFFERED_YET : `This is one of: ${offered.join(", ")}.`);
    return null;
  }

  /** The value, or a refusal with everything gathered. */
  finish<T>(code: ErrorCode, value: () => T): Result<T> {
    if (this.errors.length === 0) return ok(value());
    return fail(code, this.errors[0]!.detail, { errors: this.errors });
  }
}

export const NOT_OFFERED_YET = "This is not offered yet.";

/** The text of a definition, without what stands around it; its depth and size have been checked. */
export function parseDefinition(text: string): Result<string> {
  const parsed = parseJson(text, { depthMax: LIMITS.JSON_DEPTH_MAX, keysMax: LIMITS.JSON_KEYS_MAX });
  return parsed.ok ? ok(text.trim()) : parsed;
}
