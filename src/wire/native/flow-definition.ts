/** How a subscription's deliveries flow: one by one or in batches, in which order, how many at once and how fast. */
import { formatDuration } from "../../core/duration.ts";
import { LIMITS } from "../../core/limits.ts";
import type { BatchPolicy, Ordering, SubscriptionDefinition } from "../../core/subscription.ts";
import { NOT_OFFERED_YET, type DefinitionReader, type Members } from "./definition-reader.ts";
import type { TargetRequest } from "./target-definition.ts";

/** What is absent has the meaning that it has in `SubscriptionDefinition`. */
export type FlowRequest = Pick<SubscriptionDefinition, "ordering" | "batch" | "ratePerSecond" | "maxInFlight">;

type Mode = "async" | "sync" | "batch";

export function readMode(reader: DefinitionReader, raw: string | undefined, target: TargetRequest | null): Mode {
  const mode = reader.choice(raw, "/mode", ["async", "sync", "batch"], []) ?? "async";
  const isCalled = target === null || target.kind === "webhook" || target.kind === "listener";
  if (mode === "sync" && !isCalled) reader.refuse("/mode", "A publish can wait for a webhook or a listener only.");
  const takesBatches = target === null || target.kind === "webhook" || target.kind === "worker";
  if (mode === "batch" && !takesBatches) reader.refuse("/mode", NOT_OFFERED_YET);
  if (mode === "batch" && target?.kind === "webhook" && target.contentMode !== undefined)
    reader.refuse("/target/contentMode", "Several events stand in one request in the structured form only.");
  return mode;
}

export function readFlow(
  reader: DefinitionReader,
  given: Members,
  target: TargetRequest | null,
  mode: Mode,
): FlowRequest {
  const ordering = readOrdering(reader, given.get("ordering"));
  const batch = readBatch(reader, given.get("batch"), mode);
  const rateRange = { min: 1, max: LIMITS.CALLS_PER_SECOND_MAX };
  const ratePerSecond = reader.integer(given.get("ratePerSecond"), "/ratePerSecond", rateRange);
  const inFlight = reader.integer(given.get("maxInFlight"), "/maxInFlight", { min: 1, max: LIMITS.IN_FLIGHT_MAX });
  const maxInFlight = inFlight ?? Math.max(LIMITS.IN_FLIGHT_DEFAULT, 2 * (batch?.maxEvents ?? 0));
  const isPull = target?.kind === "pull";
  if (ordering !== null && (isPull || mode !== "async")) reader.refuse("/ordering", NOT_OFFERED_YET);
  if (ratePerSecond !== null && isPull) reader.refuse("/ratePerSecond", NOT_OFFERED_YET);
  if (batch !== null && batch.maxEvents > maxInFlight)
    reader.refuse("/batch/maxEvents", "A batch holds no more than may be in flight.");
  return {
    ...(ordering !== null && { ordering }),
    ...(batch !== null && { batch }),
    ...(ratePerSecond !== null && { ratePerSecond }),
    maxInFlight,
  };
}

/** Null for none. */
function readOrdering(reader: DefinitionReader, raw: string | undefined): Ordering | null {
  const ordering = reader.choice(raw, "/ordering", ["none", "key", "strict"], []);
  return ordering === "none" ? null : ordering;
}

/** Null in other modes. */
function readBatch(reader: DefinitionReader, raw: string | undefined, mode: Mode): BatchPolicy | null {
  if (mode !== "batch") {
    if (raw !== undefined) reader.refuse("/batch", "There are batches in mode batch only.");
    return null;
  }
  const policy = reader.object(raw ?? "{}", "/batch", ["maxEvents", "maxBytes", "maxWait"]);
  const eventsRange = { min: 1, max: LIMITS.BATCH_EVENTS_MAX };
  const bytesRange = { min: LIMITS.BATCH_BYTES_MIN, max: LIMITS.BATCH_BYTES_MAX };
  const waitRange = { min: 1, max: LIMITS.BATCH_WAIT_MS_MAX };
  const maxEvents = reader.integer(policy.get("maxEvents"), "/batch/maxEvents", eventsRange);
  const maxBytes = reader.integer(policy.get("maxBytes"), "/batch/maxBytes", bytesRange);
  const maxWaitMs = reader.durationMs(policy.get("maxWait"), "/batch/maxWait", waitRange);
  return {
    maxEvents: maxEvents ?? LIMITS.BATCH_EVENTS_DEFAULT,
    maxBytes: maxBytes ?? LIMITS.BATCH_BYTES_DEFAULT,
    maxWaitMs: maxWaitMs ?? LIMITS.BATCH_WAIT_MS_DEFAULT,
  };
}

/** What GET answers of it. */
export interface FlowView {
  readonly mode: Mode;
  readonly ordering: "none" | Ordering;
  readonly maxInFlight: number;
  readonly ratePerSecond: number | null;
  readonly batch?: { readonly maxEvents: number; readonly maxBytes: number; readonly maxWait: string };
}

export function formatFlow(definition: FlowRequest & Pick<SubscriptionDefinition, "mode">): FlowView {
  const { mode = "async", ordering, batch, ratePerSecond, maxInFlight } = definition;
  const flow = { ordering: ordering ?? "none", maxInFlight, ratePerSecond: ratePerSecond ?? null } as const;
  if (batch === undefined) return { mode, ...flow };
  const { maxEvents, maxBytes, maxWaitMs } = batch;
  return { mode: "batch", ...flow, batch: { maxEvents, maxBytes, maxWait: formatDuration(maxWaitMs) } };
}
