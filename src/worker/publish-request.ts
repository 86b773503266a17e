/** Finds the codec by content type and reads a publish into drafts, conditions and a receipt. */
import type { EventDraft } from "../core/event.ts";
import type { DraftDefaults } from "../core/draft-builder.ts";
import { LIMITS } from "../core/limits.ts";
import { fail, ok, type Result } from "../core/result.ts";
import { parseBatch } from "../wire/cloudevents/batch.ts";
import { parseBinary } from "../wire/cloudevents/binary.ts";
import { cloudEventMode } from "../wire/cloudevents/mode.ts";
import { parseStructured } from "../wire/cloudevents/structured.ts";
import { parseDrafts } from "../wire/native/draft.ts";
import { problemOf } from "../wire/native/problem.ts";
import { receiptFormat, type ReceiptFormat } from "../wire/native/receipt.ts";
import { decodeUtf8, readBytes } from "./body.ts";
import type { HubContext } from "./context.ts";
import { readWhole } from "./list-query.ts";
import type { PublishConditions, Receipt } from "./publish.ts";
import { requestTrace } from "./request-trace.ts";

export interface PublishBody {
  readonly drafts: readonly EventDraft[];
  /** As it came, for the fingerprint of an Idempotency-Key. */
  readonly bytes: Uint8Array;
  /** What a binary CloudEvent says beside its body, for the same fingerprint; null for every other form. */
  readonly attributes: string | null;
}

/** Any of what a binary CloudEvent must bring: with one of them it is taken for one, and told what it lacks. */
const CE_HEADERS = ["ce-specversion", "ce-id", "ce-type", "ce-source"];

export const isNdjson = (c: HubContext): boolean =>
  /^application\/x-ndjson\s*(;|$)/i.test(c.req.header("content-type") ?? "");

/** What an event gets that it does not say itself. */
export function draftDefaults(c: HubContext): DraftDefaults {
  const { traceparent = null, tracestate = null } = requestTrace(c) ?? {};
  return { source: `/apps/${c.get("principal").appName}`, traceparent, tracestate };
}

export async function readPublishBody(c: HubContext): Promise<Result<PublishBody>> {
  const contentType = c.req.header("content-type") ?? null;
  const mode = cloudEventMode(
    contentType,
    CE_HEADERS.some((name) => c.req.raw.headers.has(name)),
  );
  if (!mode.ok) return mode;
  if (mode.value === "none" && !/^application\/json\s*(;|$)/i.test(contentType ?? "")) {
    return fail("content_type_unsupported", "Send application/json, application/x-ndjson or a CloudEvent.");
  }
  const bytes = await readBytes(c.req.raw);
  if (!bytes.ok) return bytes;
  const drafts = parse(c, mode.value, bytes.value);
  if (!drafts.ok) return drafts;
  const attributes = mode.value === "binary" ? attributesOf(c.req.raw.headers) : null;
  return ok({ drafts: drafts.value, bytes: bytes.value, attributes });
}

const attributesOf = (headers: Headers): string =>
  JSON.stringify([...headers].filter(([name]) => name.startsWith("ce-") || name === "content-type").toSorted());

function parse(
  c: HubContext,
  mode: "structured" | "batch" | "binary" | "none",
  bytes: Uint8Array,
): Result<EventDraft[]> {
  const defaults = draftDefaults(c);
  if (mode === "binary") return oneOf(parseBinary(c.req.raw.headers, bytes, defaults));
  const text = decodeUtf8(bytes);
  if (!text.ok) return text;
  if (mode === "structured") return oneOf(parseStructured(text.value, defaults));
  return mode === "batch" ? parseBatch(text.value, defaults) : parseDrafts(text.value, defaults);
}

const oneOf = (draft: Result<EventDraft>): Result<EventDraft[]> => (draft.ok ? ok([draft.value]) : draft);

/** `If-Match: "<last offset>"` and `?partition=`. */
export function readConditions(c: HubContext): Result<Omit<PublishConditions, "request">> {
  const partition = readWhole(c, "partition", 0, LIMITS.TOPIC_PARTITIONS_MAX - 1);
  if (!partition.ok) return partition;
  const header = c.req.header("if-match");
  if (header === undefined) return ok({ ifMatch: null, partition: partition.value });
  const offset = /^"(\d{1,16})"$/.exec(header)?.[1];
  if (offset === undefined) return fail("parameter_invalid", 'If-Match is the last offset in quotes, as in "42".');
  return ok({ ifMatch: Number(offset), partition: partition.value });
}

/** One receipt as JSON text; of an event whose partition refused, the problem stands in its place. */
export const formatPublishReceipt = (receipt: Receipt): string => formatPublishReceipts([receipt])[0]!;

/** Each receipt of one publish, hence of one life of one topic. */
export function formatPublishReceipts(receipts: readonly Receipt[]): string[] {
  const formats = new Map<number, ReceiptFormat>();
  return receipts.map(({ topic, epoch, partition, outcome }) => {
    if (!outcome.ok) return JSON.stringify({ topic, partition, problem: problemOf(outcome.failure) });
    const format = formats.get(partition) ?? receiptFormat({ topic, epoch, partition });
    formats.set(partition, format);
    return format(outcome.value);
  });
}
