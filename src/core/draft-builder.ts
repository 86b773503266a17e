/**
 * Collects one event on its way in, whatever form it came in, and makes the draft that the log appends. Everything
 * that is wrong is gathered, so that a producer mends an event once and not member by member.
 */
import { formatDuration, parseDurationMs } from "./duration.ts";
import type { FieldError } from "./errors.ts";
import { formatEventLine, type EventDraft } from "./event.ts";
import { EXCLUDES, formatExclusion } from "./exclusion.ts";
import { EXPIRES } from "./expiry.ts";
import { attributeProblem, isBase64, isExtensionName, isHubExtension } from "./event-attributes.ts";
import { EXPECTED_KEY_VERSION_SAYS, readExpectedKeyVersion, type ExpectedKeyVersion } from "./key-version.ts";
import { LIMITS } from "./limits.ts";
import { fail, ok, type Result } from "./result.ts";
import { parseTimestampMs } from "./timestamp.ts";
import { parseTraceContext, type TraceContext } from "./trace-context.ts";
import { fitsUtf8, utf8Length } from "./utf8.ts";

/** What an event gets that does not say itself. */
export interface DraftDefaults {
  /** The app's own source, `/apps/<name>`. */
  readonly source: string;
  /** The request's `traceparent` header, and its `tracestate`. */
  readonly traceparent: string | null;
  readonly tracestate?: string | null;
  /** The connection that publishes and is not to be sent its own event; null or absent: it is. */
  readonly exclude?: string | null;
}

export class DraftBuilder {
  readonly problems: FieldError[] = [];
  readonly #attributes = new Map<string, string>();
  /** Attributes that came, but not in the form they must have: they are not missing as well. */
  readonly #refused = new Set<string>();
  /** JSON text by name, in the order they came. */
  readonly #extensions = new Map<string, string>();
  #excluded: string | null = null;
  #data: string | null = null;
  #base64: string | null = null;
  #deliverAt: number | null = null;
  #ttlMs: number | null = null;
  #expectedKeyVersion: ExpectedKeyVersion | null = null;

  refuse(pointer: string, detail: string): void {
    this.problems.push({ pointer, detail });
  }

  refuseAttribute(name: string, pointer: string, detail: string): void {
    this.#refused.add(name);
    this.refuse(pointer, detail);
  }

  /** `id source type key time subject dataschema datacontenttype`. */
  attribute(name: string, value: string, pointer: string): void {
    const problem = attributeProblem(name, value);
    if (problem === null) this.#attributes.set(name, value);
    else this.refuseAttribute(name, pointer, problem);
  }

  extension(name: string, value: string | number | boolean, pointer: string): void {
    if (!isExtensionName(name)) return this.refuse(pointer, `No attribute can be called ${quoteName(name)}.`);
    if (isHubExtension(name)) return;
    const problem = typeof value === "string" || name === EXPIRES ? attributeProblem(name, String(value)) : null;
    if (problem !== null) return this.refuse(pointer, problem);
    if (typeof value === "number" && (value | 0) !== value) return this.refuse(pointer, "An integer here has 32 bits.");
    this.#extensions.set(name, JSON.stringify(value));
    if (this.#extensions.size === LIMITS.EVENT_EXTENSIONS_MAX + 1) {
      this.refuse(pointer, `An event has at most ${LIMITS.EVENT_EXTENSIONS_MAX} extensions.`);
    }
  }

  /** The id of a connection that is not sent the event. */
  exclude(connection: string, pointer: string): void {
    if (/^[\x21-\x7e]{1,64}$/.test(connection)) this.#excluded = connection;
    else this.refuse(pointer, "A connection is named by the id that its welcome told.");
  }

  /** `tight`: JSON that was parsed before, without whitespace between its tokens. It is kept as it is. */
  data(tight: string): void {
    this.#data = tight;
  }

  dataBase64(value: string, pointer: string): void {
    if (!isBase64(value)) return this.refuse(pointer, "This is not base64 with padding.");
    this.#base64 = value;
  }

  expectedKeyVersion(value: unknown, pointer: string): void {
    this.#expectedKeyVersion = readExpectedKeyVersion(value);
    if (this.#expectedKeyVersion === null) this.refuse(pointer, EXPECTED_KEY_VERSION_SAYS);
  }

  /** How far ahead it may be is judged where the time is known (core/schedule.ts). */
  deliverAt(value: string, pointer: string): void {
    this.#deliverAt = parseTimestampMs(value);
    if (this.#deliverAt === null) this.refuse(pointer, "A deliverAt is written as in RFC 3339.");
  }

  ttl(value: string, pointer: string): void {
    const { EVENT_TTL_MS_MIN: min, EVENT_TTL_MS_MAX: max } = LIMITS;
    this.#ttlMs = parseDurationMs(value);
    if (this.#ttlMs !== null && this.#ttlMs >= min && this.#ttlMs <= max) return;
    this.refuse(pointer, `A ttl is a duration from ${formatDuration(min)} to ${formatDuration(max)}.`);
  }

  /** `root` is the pointer to the event itself; `required` names the attributes that it must bring. */
  finish(root: string, required: readonly string[], defaults: DraftDefaults): Result<EventDraft> {
    this.#checkTogether(root, required);
    if (this.problems.length > 0) return fail("event_invalid", this.problems[0]!.detail, { errors: this.problems });
    const draft: EventDraft = {
      id: this.#attributes.get("id") ?? null,
      source: this.#attributes.get("source") ?? defaults.source,
      type: this.#attributes.get("type")!,
      key: this.#attributes.get("key") ?? null,
      time: this.#attributes.get("time") ?? null,
      attributes: this.#attributesText(defaults),
      data: this.#dataText(),
      expectedKeyVersion: this.#expectedKeyVersion,
      ...(this.#deliverAt !== null && { deliverAt: this.#deliverAt }),
      ...(this.#ttlMs !== null && { ttlMs: this.#ttlMs }),
      ...(root !== "" && { root }),
    };
    return checkSize(draft, root);
  }

  #checkTogether(root: string, required: readonly string[]): void {
    for (const name of required) {
      if (this.#attributes.has(name) || this.#refused.has(name)) continue;
      this.refuse(`${root}/${name}`, `An event needs the attribute ${name}.`);
    }
    if (this.#data !== null && this.#base64 !== null) {
      this.refuse(`${root}/data_base64`, "An event has data or data_base64, not both.");
    }
    if (this.#expectedKeyVersion !== null && !this.#attributes.has("key") && !this.#refused.has("key")) {
      this.refuse(`${root}/expectedKeyVersion`, "An expected version needs a key.");
    }
    if (this.#expectedKeyVersion !== null && this.#deliverAt !== null) {
      this.refuse(`${root}/expectedKeyVersion`, "A version is expected now, and the event is for later.");
    }
  }

  #attributesText(defaults: DraftDefaults): string {
    const assumed = this.#data === null ? undefined : "application/json";
    const contentType = this.#attributes.get("datacontenttype") ?? assumed;
    let text =
      member("subject", this.#attributes.get("subject")) +
      member("datacontenttype", contentType) +
      member("dataschema", this.#attributes.get("dataschema"));
    for (const [name, json] of this.#extensions) if (!TRACE_NAMES.has(name)) text += `,"${name}":${json}`;
    text += this.#exclusion(defaults.exclude ?? null);
    const trace = this.#ownTrace() ?? parseTraceContext(defaults.traceparent, defaults.tracestate ?? null);
    if (trace === null) return text;
    return text + member("traceparent", trace.traceparent) + member("tracestate", trace.tracestate ?? undefined);
  }

  #exclusion(publisher: string | null): string {
    if (this.#excluded === null && publisher === null) return "";
    const excluded = [this.#excluded, publisher].filter((connection) => connection !== null);
    return member(EXCLUDES, formatExclusion(excluded));
  }

  /** What an event says of its origin goes before what the request says of its way, where it can be read. */
  #ownTrace(): TraceContext | null {
    if (!this.#extensions.has("traceparent")) return null;
    const textOf = (name: string): string | null => {
      const value = JSON.parse(this.#extensions.get(name) ?? "null") as unknown;
      return typeof value === "string" ? value : null;
    };
    return parseTraceContext(textOf("traceparent"), textOf("tracestate"));
  }

  #dataText(): string {
    if (this.#base64 !== null) return `,"data_base64":"${this.#base64}"`;
    return this.#data === null ? "" : `,"data":${this.#data}`;
  }
}

/** CloudEvents' extension for distributed tracing. */
const TRACE_NAMES: ReadonlySet<string> = new Set(["traceparent", "tracestate"]);

const member = (name: string, value: string | undefined): string =>
  value === undefined ? "" : `,"${name}":${JSON.stringify(value)}`;

/** A name from a client, fit for a sentence. */
export const quoteName = (name: string): string => JSON.stringify(name.slice(0, 64));

const EARLIEST_POSITION = {
  topic: "",
  partition: 0,
  offset: 0,
  appendedAt: new Date(0).toISOString(),
  keyVersion: null,
};
const UUID_CHARS = 36;

/** An event is as large as its line in a log, apart from the topic's name and the digits of its position. */
export const draftBytes = (draft: EventDraft): number => utf8Length(lineOf(draft));

const lineOf = (draft: EventDraft): string =>
  formatEventLine(draft, draft.id ?? "0".repeat(UUID_CHARS), EARLIEST_POSITION);

function checkSize(draft: EventDraft, root: string): Result<EventDraft> {
  const chars = draft.data.length + draft.attributes.length + draft.source.length + draft.type.length;
  // A kilobyte covers names, ids and positions; three bytes a character is the worst there is.
  if (chars * 3 + 1_024 + 6 * LIMITS.EVENT_KEY_BYTES_MAX <= LIMITS.EVENT_BYTES_MAX) return ok(draft);
  const line = lineOf(draft);
  if (fitsUtf8(line, LIMITS.EVENT_BYTES_MAX)) return ok(draft);
  return fail("event_too_large", undefined, {
    limit: LIMITS.EVENT_BYTES_MAX,
    actual: utf8Length(line),
    errors: root === "" ? [] : [{ pointer: root, detail: "This event is too large." }],
  });
}

/** Joins what became of each event of a request: all drafts, or one refusal that names everything found. */
export function joinDrafts(results: readonly Result<EventDraft>[]): Result<EventDraft[]> {
  const drafts: EventDraft[] = [];
  const refusals = results.flatMap((result) => (result.ok ? (drafts.push(result.value), []) : [result.failure]));
  const first = refusals[0];
  if (first === undefined) return ok(drafts);
  const invalid = refusals.filter((failure) => failure.code === first.code);
  const errors = invalid.flatMap((failure) => failure.errors ?? []).slice(0, ERRORS_NAMED_MAX);
  return { ok: false, failure: errors.length === 0 ? first : { ...first, errors } };
}

const ERRORS_NAMED_MAX = 20;
