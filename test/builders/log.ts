/** Drafts and requests as the Worker hands them to a log. */
import { parseAppended, type Appended } from "../../src/core/appended.ts";
import { formatDrafts } from "../../src/core/draft-text.ts";
import { splitLines, type EventDraft } from "../../src/core/event.ts";
import type { Failure } from "../../src/core/errors.ts";
import type { Result } from "../../src/core/result.ts";
import type {
  AppendAnswer,
  AppendRequest,
  EventBatch,
  LogLife,
  ReadRequest,
  ReadStart,
} from "../../src/durable-objects/rpc.ts";

export const makeLife = (more: Partial<LogLife> = {}): LogLife => ({
  epoch: 1_000,
  revision: 1,
  index: "none",
  retention: {},
  ...more,
});

export const makeDraft = (more: Partial<EventDraft> = {}): EventDraft => ({
  id: null,
  source: "/tests",
  type: "test.done",
  key: null,
  time: null,
  attributes: ',"datacontenttype":"application/json"',
  data: ',"data":{}',
  expectedKeyVersion: null,
  ...more,
});

/** So many drafts, numbered from `first` in their data. */
export const makeDrafts = (count: number, first = 1): EventDraft[] =>
  Array.from({ length: count }, (_, index) => makeDraft({ data: `,"data":${first + index}` }));

/** The fingerprint is the content itself, as readable as can be. */
export const makeAppend = (drafts: readonly EventDraft[], more: Partial<AppendRequest> = {}): AppendRequest => ({
  life: makeLife(),
  drafts: formatDrafts(drafts),
  ifMatch: null,
  request: null,
  refusal: null,
  fingerprints: drafts.map(({ id, type, key, data }) => (id === null ? null : JSON.stringify([type, key, data]))),
  ...more,
});

/** What was appended, or an error that shows the refusal. */
export function appendedOf(answer: Result<AppendAnswer>): { readonly events: Appended[]; readonly replayed: boolean } {
  const { events, replayed } = valueOf(answer);
  return { events: parseAppended(events), replayed };
}

export const EARLIEST: ReadStart = { kind: "earliest" };

export const after = (offset: number, epoch: number | null = null): ReadStart => ({ kind: "after", epoch, offset });

export const makeRead = (more: Partial<ReadRequest> = {}): ReadRequest => ({
  life: makeLife(),
  start: EARLIEST,
  until: null,
  eventsMax: 1_000,
  bytesMax: 4_194_304,
  types: null,
  keys: null,
  keyStream: null,
  ...more,
});

/** The value, or an error that shows the failure. */
export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.failure)}`);
  return result.value;
}

/** The refusal, or an error that shows what was answered instead. */
export function failureOf(result: Result<unknown>): Failure {
  if (result.ok) throw new Error(`not refused: ${JSON.stringify(result.value)}`);
  return result.failure;
}

export interface KeptEvent {
  readonly id: string;
  readonly offset: number;
  readonly appendedat: string;
  readonly data?: unknown;
}

export const eventsOf = (batch: EventBatch): KeptEvent[] =>
  splitLines(batch.body).map((line) => JSON.parse(line) as KeptEvent);
