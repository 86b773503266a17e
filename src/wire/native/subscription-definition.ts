/** `PUT /v1/subscriptions/{name}` and what `GET` answers for it. */
import type { AttemptsKept } from "../../core/attempt-history.ts";
import type { BreakerPolicy } from "../../core/breaker.ts";
import { HIDDEN_VALUE } from "../../core/custom-headers.ts";
import { formatDuration } from "../../core/duration.ts";
import type { FilterPattern } from "../../core/filter-pattern.ts";
import { stringOf } from "../../core/json-text.ts";
import { LIMITS } from "../../core/limits.ts";
import { isTopicPattern, matchesTopicPattern } from "../../core/names.ts";
import { parsePosition } from "../../core/position.ts";
import type { Result } from "../../core/result.ts";
import { DEFAULT_DELAYS_MS, type RetryPolicy } from "../../core/retry-schedule.ts";
import { CHANNELS_TOPIC, CLIENT_EVENTS_TOPIC, PRESENCE_TOPIC } from "../../core/system-event.ts";
import type { SubscriptionDefinition, Target } from "../../core/subscription.ts";
import type { WebhookSigning } from "../../core/webhook-signature.ts";
import { formatBreaker, readBreaker, readDisableAfter, type BreakerView } from "./breaker-definition.ts";
import { DefinitionReader, NOT_OFFERED_YET, parseDefinition } from "./definition-reader.ts";
import { parseFilterMember } from "./filter-member.ts";
import { formatFlow, readFlow, readMode, type FlowRequest, type FlowView } from "./flow-definition.ts";
import { formatPins, readPins, type SchemaPins } from "./schema-pins.ts";
import { readTarget, type TargetRequest } from "./target-definition.ts";

export type StartRequest =
  | { readonly kind: "latest" }
  | { readonly kind: "earliest" }
  /** From the first event appended at or after it, milliseconds since 1970. */
  | { readonly kind: "time"; readonly at: number };

export interface SubscriptionRequest {
  readonly topics: readonly string[];
  readonly filter: FilterPattern | null;
  readonly startFrom: StartRequest;
  readonly target: TargetRequest;
  /** Absent: async. */
  readonly mode?: "sync";
  readonly retry: RetryPolicy;
  readonly flow: FlowRequest;
  readonly timeoutMs: number;
  readonly breaker: BreakerPolicy;
  readonly attempts: AttemptsKept;
  readonly schemas: SchemaPins;
}

const MEMBERS = [
  "topics",
  "filter",
  "mode",
  "ordering",
  "startFrom",
  "target",
  "retry",
  "maxInFlight",
  "ratePerSecond",
  "timeout",
  "batch",
  "breaker",
  "disableAfter",
  "attempts",
  "schemas",
];

export function parseSubscriptionDefinition(text: string): Result<SubscriptionRequest> {
  const raw = parseDefinition(text);
  if (!raw.ok) return raw;
  const reader = new DefinitionReader();
  const given = reader.object(raw.value, "", MEMBERS);
  const topics = readTopics(reader, given.get("topics"));
  const startFrom = readStart(reader, given.get("startFrom"));
  const target = readTarget(reader, given.get("target"));
  refuseCycle(reader, topics, target);
  if (target?.kind === "pusher") refuseUntold(reader, topics);
  const mode = readMode(reader, given.get("mode"), target);
  const retry = readRetry(reader, given.get("retry"));
  const flow = readFlow(reader, given, target, mode);
  const timeoutMs = reader.durationMs(given.get("timeout"), "/timeout", { min: 1, max: LIMITS.TIMEOUT_MS_MAX });
  const breaker = readBreaker(reader, given.get("breaker"), readDisableAfter(reader, raw.value, given));
  const attempts = reader.choice(given.get("attempts"), "/attempts", ["all", "failures", "none"], []);
  const schemas = readPins(reader, given.get("schemas"), "/schemas");
  const filter = parseFilterMember(given.get("filter"));
  if (!filter.ok && reader.errors.length === 0) return filter;
  return reader.finish("subscription_invalid", () => ({
    topics,
    filter: filter.ok ? filter.value : null,
    startFrom,
    target: target!,
    ...(mode === "sync" && { mode }),
    retry,
    flow,
    timeoutMs: timeoutMs ?? LIMITS.TIMEOUT_MS_DEFAULT,
    breaker,
    attempts: attempts ?? "failures",
    schemas,
  }));
}

/** Pusher's webhooks tell of channels, members and client events. */
function refuseUntold(reader: DefinitionReader, topics: readonly string[]): void {
  for (const [index, topic] of topics.entries()) {
    if (!TOLD_TO_PUSHER.includes(topic))
      reader.refuse(`/topics/${index}`, `Pusher's webhooks tell of ${TOLD_TO_PUSHER.join(", ")} only.`);
  }
}

const TOLD_TO_PUSHER: readonly string[] = [CHANNELS_TOPIC, PRESENCE_TOPIC, CLIENT_EVENTS_TOPIC];

/** Longer ways round are cut where they are gone: see `REPUBLISH_HOPS_MAX`. */
function refuseCycle(reader: DefinitionReader, topics: readonly string[], target: TargetRequest | null): void {
  if (target?.kind !== "topic" || !topics.some((pattern) => matchesTopicPattern(pattern, target.topic))) return;
  reader.refuse("/target/topic", "The subscription follows this topic itself.");
}

function readTopics(reader: DefinitionReader, raw: string | undefined): readonly string[] {
  if (raw === undefined) reader.refuse("/topics", "A subscription names the topics that it follows.");
  return reader.list(raw ?? '[""]', "/topics", LIMITS.SUBSCRIPTION_TOPICS_MAX).map((item, index) => {
    const pattern = stringOf(item) ?? "";
    const isPattern = pattern !== "" && isTopicPattern(pattern);
    if (!isPattern && raw !== undefined) reader.refuse(`/topics/${index}`, "This is not a topic's name or a pattern.");
    return pattern;
  });
}

function readStart(reader: DefinitionReader, raw: string | undefined): StartRequest {
  if (raw === undefined) return { kind: "latest" };
  const position = parsePosition(stringOf(raw) ?? "");
  if (!position.ok) reader.refuse("/startFrom", 'This is "latest", "earliest" or "time:" and a time as in RFC 3339.');
  else if (position.value.kind === "offset" || position.value.kind === "cursor") {
    reader.refuse("/startFrom", NOT_OFFERED_YET);
  } else return position.value;
  return { kind: "latest" };
}

function readRetry(reader: DefinitionReader, raw: string | undefined): RetryPolicy {
  const given = reader.object(raw ?? "{}", "/retry", ["maxAttempts", "schedule", "retryOn4xx"]);
  const attempts = reader.integer(given.get("maxAttempts"), "/retry/maxAttempts", { min: 1, max: LIMITS.ATTEMPTS_MAX });
  const schedule = given.get("schedule");
  const steps = schedule === undefined ? [] : reader.list(schedule, "/retry/schedule", LIMITS.ATTEMPTS_MAX);
  const range = { min: 0, max: LIMITS.RETRY_DELAY_MS_MAX };
  const delays = steps.map((step, index) => reader.durationMs(step, `/retry/schedule/${index}`, range) ?? 0);
  return {
    maxAttempts: attempts ?? LIMITS.ATTEMPTS_DEFAULT,
    delaysMs: schedule === undefined ? DEFAULT_DELAYS_MS : delays,
    retryOn4xx: reader.boolean(given.get("retryOn4xx"), "/retry/retryOn4xx") ?? false,
  };
}

/** What GET answers of the definition; all but the name can be PUT again. No secret appears, nor a header's value. */
export interface SubscriptionView extends BreakerView, FlowView {
  readonly attempts: AttemptsKept;
  readonly name: string;
  readonly topics: readonly string[];
  readonly filter: FilterPattern | null;
  readonly startFrom: string;
  readonly target:
    | {
        readonly kind: "webhook";
        readonly url: string;
        readonly headers: Readonly<Record<string, string>>;
        readonly contentMode: "structured" | "binary" | "envelope";
        readonly signing: WebhookSigning;
        readonly handshake: boolean;
      }
    | { readonly kind: "listener"; readonly name: string }
    | { readonly kind: "pull" }
    | { readonly kind: "worker"; readonly binding: string }
    | { readonly kind: "topic"; readonly topic: string }
    | { readonly kind: "pusher"; readonly url: string; readonly key: string };
  readonly retry: { readonly maxAttempts: number; readonly schedule: readonly string[]; readonly retryOn4xx: boolean };
  readonly timeout: string;
  readonly schemas: Readonly<Record<string, number>>;
}

export function formatSubscription(definition: SubscriptionDefinition): SubscriptionView {
  const { name, topics, filter, start, target, retry, timeoutMs } = definition;
  return {
    name,
    topics,
    filter,
    startFrom: start.kind === "time" ? `time:${new Date(start.at).toISOString()}` : start.kind,
    target: formatTarget(target),
    retry: {
      maxAttempts: retry.maxAttempts,
      schedule: retry.delaysMs.map(formatDuration),
      retryOn4xx: retry.retryOn4xx,
    },
    ...formatFlow(definition),
    timeout: formatDuration(timeoutMs),
    ...formatBreaker(definition.breaker),
    attempts: definition.attempts ?? "failures",
    schemas: formatPins(definition.lifts ?? {}),
  };
}

function formatTarget(target: Target): SubscriptionView["target"] {
  if (target.kind !== "webhook") return target;
  const headers = Object.fromEntries(Object.keys(target.headers).map((name) => [name, HIDDEN_VALUE]));
  const { kind, url, contentMode = "structured", signing = "hmac", consentedTo } = target;
  return { kind, url, headers, contentMode, signing, handshake: consentedTo !== undefined };
}
