/**
 * A stream of drafts, a line each, of any length: appended in chunks as they come, answered line by line in order.
 * The answer is 200 whatever the lines are; each line's receipt or problem says what became of it. When the credential
 * ends, so does the answer, with that problem; the lines from there on are not read.
 */
import type { DraftDefaults } from "../core/draft-builder.ts";
import type { ErrorCode, Failure } from "../core/errors.ts";
import type { EventDraft } from "../core/event.ts";
import { LIMITS } from "../core/limits.ts";
import { fail, type Result } from "../core/result.ts";
import { utf8Length } from "../core/utf8.ts";
import type { Env } from "../env.ts";
import { parseDraft } from "../wire/native/draft.ts";
import { problemOf } from "../wire/native/problem.ts";
import { LineSplitter, type Line } from "../wire/ndjson/lines.ts";
import type { Caller } from "./caller.ts";
import { indexFor, NO_CONDITIONS, publish, type Receipt } from "./publish.ts";
import { formatPublishReceipt } from "./publish-request.ts";

export interface NdjsonTarget {
  readonly env: Env;
  /** Who publishes, asked before each chunk: a stream may go on for longer than its credential is good. */
  callerNow(): Promise<Result<Caller>>;
  readonly topic: string;
  readonly partition: number | null;
  readonly defaults: DraftDefaults;
  /** Once, when nothing more is read. `error`: the first refusal; null: there was none. */
  ended?(lines: number, error: ErrorCode | null): void;
}

interface LineStream extends NdjsonTarget {
  readonly budget: Budget;
  readonly tally: Tally;
}

/** Of the whole stream. */
interface Tally {
  lines: number;
  error: ErrorCode | null;
}

export function publishLines(target: NdjsonTarget, body: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  // Not awaited: the answer streams while the request does, and a producer that stops reading stops the reading of it.
  const tally: Tally = { lines: 0, error: null };
  void pump({ ...target, budget: new Budget(), tally }, body, writable.getWriter());
  return readable;
}

async function pump(
  target: LineStream,
  body: ReadableStream<Uint8Array>,
  writer: WritableStreamDefaultWriter<Uint8Array>,
): Promise<void> {
  const splitter = new LineSplitter(LIMITS.REQUEST_BYTES_MAX);
  const encoder = new TextEncoder();
  const write = (answers: readonly string[]): Promise<void> =>
    writer.write(encoder.encode(answers.map((text) => `${text}\n`).join("")));
  const answer = async (lines: readonly Line[]): Promise<Failure | null> => {
    for (const chunk of chunksOf(lines)) {
      const caller = await target.callerNow();
      if (!caller.ok) return caller.failure;
      await write(await publishChunk(target, caller.value, chunk));
    }
    return null;
  };
  try {
    const refusal = await answerAll(body, splitter, answer);
    if (refusal !== null) await write([formatProblem(target, refusal)]);
  } catch {
    // The producer hung up, or the hub failed: what was answered stands, and the last line says that more may.
    await write([formatProblem(target, { code: "hub_overloaded" })]).catch(() => undefined);
  }
  target.ended?.(target.tally.lines, target.tally.error);
  await writer.close().catch(() => undefined);
}

/** Until the stream's end, or until the first refusal that holds for all that is to come. */
async function answerAll(
  body: ReadableStream<Uint8Array>,
  splitter: LineSplitter,
  answer: (lines: readonly Line[]) => Promise<Failure | null>,
): Promise<Failure | null> {
  for await (const chunk of body) {
    const refusal = await answer(splitter.feed(chunk));
    if (refusal !== null) return refusal;
  }
  return answer(splitter.end());
}

function formatProblem({ tally }: LineStream, failure: Failure): string {
  tally.error ??= failure.code;
  return JSON.stringify({ problem: problemOf(failure) });
}

/** As many lines together as one request may bring, by count and by bytes: they go to a log in one call (≤ 32 MB). */
function* chunksOf(lines: readonly Line[]): Generator<readonly Line[]> {
  let from = 0;
  let bytes = 0;
  for (const [index, line] of lines.entries()) {
    const more = line.kind === "line" ? utf8Length(line.text) : 0;
    const full = index - from >= LIMITS.REQUEST_EVENTS_MAX || bytes + more > LIMITS.REQUEST_BYTES_MAX;
    if (full && index > from) {
      yield lines.slice(from, index);
      from = index;
      bytes = 0;
    }
    bytes += more;
  }
  if (from < lines.length) yield lines.slice(from);
}

/** Good lines go together; when the log refuses them as one, each goes alone, so that one bad line costs no other. */
async function publishChunk(target: LineStream, caller: Caller, lines: readonly Line[]): Promise<string[]> {
  target.tally.lines += lines.length;
  const drafts = lines.map((line) => draftOf(line, target.defaults));
  const good = drafts.flatMap((draft) => (draft.ok ? [draft.value] : []));
  const receipts = good.length === 0 ? [] : await publishTogether(target, caller, good);
  let next = 0;
  return drafts.map((draft) => {
    if (!draft.ok) return formatProblem(target, draft.failure);
    const receipt = receipts[next++]!;
    return receipt.ok ? formatPublishReceipt(receipt.value) : formatProblem(target, receipt.failure);
  });
}

function draftOf(line: Line, defaults: DraftDefaults): Result<EventDraft> {
  switch (line.kind) {
    case "line":
      return parseDraft(line.text, defaults);
    case "too_long":
      return fail("body_too_large", undefined, { limit: line.limit, actual: line.actual });
    case "not_utf8":
      return fail("encoding_invalid", "The line is not UTF-8.");
  }
}

async function publishTogether(
  target: LineStream,
  caller: Caller,
  drafts: readonly EventDraft[],
  index = indexFor(drafts), // Of all lines that came together, though they go one by one.
): Promise<Result<Receipt>[]> {
  const spent = target.budget.refusal(Date.now());
  if (spent !== null) return drafts.map(() => spent);
  const conditions = { ...NO_CONDITIONS, partition: target.partition };
  const together = await publish(target.env, caller, target.topic, drafts, conditions, index);
  const wholly = together.ok && together.value.receipts.every(({ outcome }) => outcome.ok);
  const isFinal = !together.ok && FINAL_FOR_ALL.has(together.failure.code);
  if (!together.ok) target.budget.note(together.failure, drafts.length, Date.now());
  if (wholly || isFinal || drafts.length === 1) {
    return drafts.map((_, at) => (together.ok ? { ok: true, value: together.value.receipts[at]! } : together));
  }
  const receipts: Result<Receipt>[] = [];
  for (const [at, draft] of drafts.entries()) {
    const receipt = together.ok ? together.value.receipts[at]! : null;
    // Nor does a line go again whose partition did not answer: it may stand there.
    const stands = receipt !== null && (receipt.outcome.ok || receipt.outcome.failure.code === "hub_overloaded");
    receipts.push(stands ? { ok: true, value: receipt } : (await publishTogether(target, caller, [draft], index))[0]!);
  }
  return receipts;
}

/** Lines that may stand in the log would be doubled if they went again; and what nobody can count, nobody can spend. */
const FINAL_FOR_ALL: ReadonlySet<ErrorCode> = new Set(["hub_overloaded", "quota_unavailable"]);

/** Remembers of one stream that a line found nothing left to spend: no later line asks again before that may change. */
class Budget {
  #refused: { readonly refusal: Result<never>; readonly until: number } | null = null;

  /** Of lines that went together, fewer may pass; but where no more topics are allowed, none of them does. */
  note(failure: Failure, lines: number, now: number): void {
    const { quota, retryAfterSeconds = 1 } = failure;
    if (quota === undefined || (lines > 1 && quota.window !== null)) return;
    this.#refused = { refusal: { ok: false, failure }, until: now + retryAfterSeconds * 1_000 };
  }

  refusal(now: number): Result<never> | null {
    return this.#refused !== null && now < this.#refused.until ? this.#refused.refusal : null;
  }
}
