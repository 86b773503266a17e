/**
 * JSON as text. Payloads go from the producer to the reader as they were written, because parsing and formatting again
 * would change numbers (`1e999`, `1.0`, `12345678901234567890`). So the hub measures and cuts the text; only whether
 * it is JSON at all is left to `JSON.parse`.
 */
import { fail, ok, type Result } from "./result.ts";

export interface JsonLimits {
  readonly depthMax: number;
  readonly keysMax: number;
  /** Levels that stand around what is measured and do not count. */
  readonly wrapperDepth?: number;
}

/** What one pass over the text found. */
export interface JsonScan {
  /** Members of all objects together. */
  readonly keys: number;
  /** Levels of nesting, those of a wrapper included. */
  readonly depth: number;
  /** True when there is whitespace between tokens, so that `minify` has something to do. */
  readonly spaced: boolean;
}

/** An element of an array. */
export interface JsonElement {
  /** As it stands in the text. */
  readonly raw: string;
  /** Null when it is no object. */
  readonly members: readonly JsonMember[] | null;
}

export interface JsonMember {
  readonly name: string;
  /** The value as it stands in the text. */
  readonly raw: string;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const SPACE = /[ \t\n\r]/;
const COLON = 0x3a;
const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/**
 * Measures text that need not be JSON yet, in time linear in its length: fails with `encoding_invalid` for a lone
 * surrogate, raw or escaped, with `json_too_deep` and with `json_too_many_keys`.
 */
export function scanJson(text: string, limits: JsonLimits): Result<JsonScan> {
  if (!text.isWellFormed() || escapesLoneSurrogate(text)) return fail("encoding_invalid");
  const wrapperDepth = limits.wrapperDepth ?? 0;
  let depth = -wrapperDepth;
  let deepest = depth;
  let keys = 0;
  let spaced = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) index = stringEnd(text, index) - 1;
    else if (code === COLON) keys += 1;
    else if (code === OPEN_OBJECT || code === OPEN_LIST) {
      depth += 1;
      if (depth > limits.depthMax) return fail("json_too_deep", undefined, { limit: limits.depthMax, actual: depth });
      if (depth > deepest) deepest = depth;
    } else if (code === CLOSE_OBJECT || code === CLOSE_LIST) depth -= 1;
    else if (isSpace(code)) spaced = true;
  }
  if (keys > limits.keysMax) return fail("json_too_many_keys", undefined, { limit: limits.keysMax, actual: keys });
  return ok({ keys, depth: deepest + wrapperDepth, spaced });
}

export interface ParsedJson extends JsonScan {
  readonly value: unknown;
  /** The text without whitespace between its tokens, hence in one line. */
  readonly tight: string;
}

/** Scans and parses. The refusal of what is not JSON does not echo the text, which may hold a secret. */
export function parseJson(text: string, limits: JsonLimits): Result<ParsedJson> {
  const scan = scanJson(text, limits);
  if (!scan.ok) return scan;
  try {
    const value = JSON.parse(text) as unknown;
    return ok({ ...scan.value, value, tight: scan.value.spaced ? minify(text) : text });
  } catch {
    return fail("json_invalid");
  }
}

/** The members of an object in their order, doubles included. `text` must be a JSON object that was parsed before. */
export function members(text: string): JsonMember[] {
  const found: JsonMember[] = [];
  cutObject(text, skipSpace(text, 0), found);
  return found;
}

/** The elements of an array. `text` must be a JSON array that was parsed before. */
export const elements = (text: string): string[] => cutElements(text).map(({ raw }) => raw);

/** Likewise, and what is an object is cut into its members in the same pass. */
export function cutElements(text: string): JsonElement[] {
  const found: JsonElement[] = [];
  let index = skipSpace(text, skipSpace(text, 0) + 1);
  while (index < text.length && text.charCodeAt(index) !== CLOSE_LIST) {
    const inside: JsonMember[] | null = text.charCodeAt(index) === OPEN_OBJECT ? [] : null;
    const end = inside === null ? valueEnd(text, index) : cutObject(text, index, inside);
    found.push({ raw: text.slice(index, end), members: inside });
    index = skipComma(text, end);
  }
  return found;
}

/** A text that stands alone, as an element of its own. It must have been parsed before, and begin with its value. */
export const elementOf = (text: string): JsonElement => ({
  raw: text,
  members: isObjectText(text) ? members(text) : null,
});

/** The same JSON without whitespace between its tokens, hence in one line. `raw` must have been parsed before. */
export function minify(raw: string): string {
  if (!SPACE.test(raw)) return raw; // Most producers send none, and this look is native.
  let kept = "";
  let from = 0;
  for (let index = 0; index < raw.length; index += 1) {
    const code = raw.charCodeAt(index);
    if (code === QUOTE) index = stringEnd(raw, index) - 1;
    else if (isSpace(code)) {
      kept += raw.slice(from, index);
      from = skipSpace(raw, index);
      index = from - 1;
    }
  }
  return from === 0 ? raw : kept + raw.slice(from);
}

/** The string that a JSON string literal stands for. */
export const unquote = (literal: string): string =>
  literal.includes("\\") ? (JSON.parse(literal) as string) : literal.slice(1, -1);

/** The string, when the JSON value is one; else null. */
export const stringOf = (raw: string): string | null => (raw.charCodeAt(0) === QUOTE ? unquote(raw) : null);

export const isObjectText = (raw: string): boolean => raw.charCodeAt(0) === OPEN_OBJECT;

export const isListText = (raw: string): boolean => raw.charCodeAt(0) === OPEN_LIST;

// Space, tab, line feed, carriage return: what JSON allows between tokens.
const isSpace = (code: number): boolean => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;

function skipSpace(text: string, start: number): number {
  let index = start;
  while (isSpace(text.charCodeAt(index))) index += 1;
  return index;
}

/** At the next member or element, or at the bracket that closes. */
function skipComma(text: string, start: number): number {
  const index = skipSpace(text, start);
  return text.charCodeAt(index) === COMMA ? skipSpace(text, index + 1) : index;
}

/** Adds the members of the object that opens at `start` to `found`, and answers where it ends. */
function cutObject(text: string, start: number, found: JsonMember[]): number {
  let index = skipSpace(text, start + 1);
  while (text.charCodeAt(index) === QUOTE) {
    const nameEnd = stringEnd(text, index);
    const name = unquote(text.slice(index, nameEnd));
    const valueStart = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = valueEnd(text, valueStart);
    found.push({ name, raw: text.slice(valueStart, end) });
    index = skipComma(text, end);
  }
  return index + 1;
}

/** Just behind the closing quote of the string that opens at `start`; the text's end when it never closes. */
function stringEnd(text: string, start: number): number {
  let quote = text.indexOf('"', start + 1);
  // A quote behind an odd number of backslashes is part of the string.
  while (quote > 0 && text.charCodeAt(quote - 1) === BACKSLASH && isEscaped(text, quote)) {
    quote = text.indexOf('"', quote + 1);
  }
  return quote < 0 ? text.length : quote + 1;
}

function isEscaped(text: string, quote: number): boolean {
  let index = quote - 1;
  while (text.charCodeAt(index) === BACKSLASH) index -= 1;
  return (quote - 1 - index) % 2 === 1;
}

/** Just behind the value that begins at `start`. */
function valueEnd(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === QUOTE) return stringEnd(text, start);
  if (first === OPEN_OBJECT || first === OPEN_LIST) return nestedEnd(text, start);
  let index = start;
  while (index < text.length && !endsLiteral(text.charCodeAt(index))) index += 1;
  return index;
}

const endsLiteral = (code: number): boolean =>
  code === COMMA || code === CLOSE_OBJECT || code === CLOSE_LIST || isSpace(code);

function nestedEnd(text: string, start: number): number {
  let depth = 0;
  for (let index = start; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (code === QUOTE) index = stringEnd(text, index) - 1;
    else if (code === OPEN_OBJECT || code === OPEN_LIST) depth += 1;
    else if (code === CLOSE_OBJECT || code === CLOSE_LIST) {
      depth -= 1;
      if (depth === 0) return index + 1;
    }
  }
  return text.length;
}

/** Backslashes stand only in strings, so looking at them alone finds every `\ud800` without its other half. */
function escapesLoneSurrogate(text: string): boolean {
  let index = text.indexOf("\\");
  while (index >= 0) {
    const unit = escapedUnit(text, index);
    if (unit >= 0xdc00 && unit <= 0xdfff) return true;
    if (unit >= 0xd800 && unit <= 0xdbff) {
      const low = escapedUnit(text, index + 6);
      if (low < 0xdc00 || low > 0xdfff) return true;
      index += 6;
    }
    index = text.indexOf("\\", index + 2);
  }
  return false;
}

/** The UTF-16 unit of a `\uXXXX` that begins at `index`; -1 for any other text. */
function escapedUnit(text: string, index: number): number {
  if (text.charCodeAt(index) !== BACKSLASH || text.charCodeAt(index + 1) !== 0x75) return -1;
  const digits = text.slice(index + 2, index + 6);
  return /^[0-9a-fA-F]{4}$/.test(digits) ? Number.parseInt(digits, 16) : -1;
}
