/** Subscriptions, their deliveries and their dead letters. */
import { LIMITS } from "../../core/limits.ts";
import {
  ANYTHING,
  DURATION,
  FLAG,
  listOf,
  mapOf,
  matching,
  named,
  oneOfTexts,
  orNull,
  shortText,
  shown,
  taken,
  text,
  TIME,
  whole,
  type Shapes,
} from "../../wire/openapi/shapes.ts";

const SIGNING = oneOfTexts("hmac", "ed25519", "both");
const CONTENT_MODE = oneOfTexts("structured", "binary", "envelope");
export const SECRET = matching(/^whsec_[A-Za-z0-9+/=_-]+$/);
const ADDRESS = matching(/^[Hh][Tt][Tt][Pp][Ss]?:[^ #]+$/, {
  maxLength: LIMITS.URL_CHARS_MAX,
  examples: ["https://shop.example.com/hooks"],
});

const target = (kind: string, required: Shapes, optional: Shapes = {}) =>
  taken({ kind: { const: kind }, ...required }, optional);

const MODE = oneOfTexts("async", "sync", "batch");
const ORDERING = oneOfTexts("none", "key", "strict");
const ATTEMPTS = oneOfTexts("all", "failures", "none");
const VERSION = whole(1, LIMITS.SCHEMA_VERSIONS_MAX);

const RETRY = {
  maxAttempts: whole(1, LIMITS.ATTEMPTS_MAX),
  schedule: listOf(DURATION, { minItems: 1, maxItems: LIMITS.ATTEMPTS_MAX }),
  retryOn4xx: FLAG,
};
const BATCH = {
  maxEvents: whole(1, LIMITS.BATCH_EVENTS_MAX),
  maxBytes: whole(LIMITS.BATCH_BYTES_MIN, LIMITS.BATCH_BYTES_MAX),
  maxWait: DURATION,
};
const BREAKER = { failures: whole(1, LIMITS.BREAKER_ATTEMPTS_MAX), over: DURATION, probeEvery: DURATION };

const ATTEMPT = shown({
  at: TIME,
  durationMs: whole(),
  status: orNull(whole()),
  error: orNull(text()),
  excerpt: text(),
});
const PLACE = { id: text(), topic: text(), partition: whole(), offset: whole(1) };

export const SUBSCRIPTION_SHAPES = {
  Filter: {
    type: "object",
    minProperties: 1,
    additionalProperties: { anyOf: [listOf(ANYTHING, { minItems: 1 }), named("Filter")] },
    description: "A content pattern in EventBridge's grammar over the event's JSON.",
    examples: [{ type: ["order.created"], data: { total: [{ numeric: [">", 100] }] } }],
  },
  Target: {
    anyOf: [
      target(
        "webhook",
        { url: ADDRESS },
        {
          headers: mapOf(text(), { maxProperties: LIMITS.TARGET_HEADERS_MAX }),
          secret: SECRET,
          contentMode: CONTENT_MODE,
          signing: SIGNING,
          handshake: FLAG,
        },
      ),
      target("listener", { name: text({ minLength: 1 }) }),
      target("pull", {}),
      target("worker", { binding: matching(/^CONSUMER_[A-Z0-9_]{1,80}$/) }),
      target("topic", { topic: text({ minLength: 1 }) }),
      target("pusher", { url: ADDRESS, key: matching(/^[0-9A-Za-z]{12}$/) }),
    ],
  },
  SubscriptionDefinition: taken(
    {
      topics: listOf(text({ minLength: 1 }), { minItems: 1, maxItems: LIMITS.SUBSCRIPTION_TOPICS_MAX }),
      target: named("Target"),
    },
    {
      filter: named("Filter"),
      mode: MODE,
      ordering: ORDERING,
      startFrom: matching(/^(earliest|latest|time:.+)$/),
      retry: taken({}, RETRY),
      maxInFlight: whole(1, LIMITS.IN_FLIGHT_MAX),
      ratePerSecond: whole(1, LIMITS.CALLS_PER_SECOND_MAX),
      timeout: DURATION,
      batch: taken({}, BATCH),
      breaker: taken({}, BREAKER),
      disableAfter: DURATION,
      attempts: ATTEMPTS,
      schemas: mapOf(VERSION, { maxProperties: LIMITS.LIFTED_TYPES_MAX }),
    },
    { examples: [{ topics: ["order.*"], target: { kind: "webhook", url: "https://shop.example.com/hooks" } }] },
  ),
  SubscriptionFacts: shown(
    {
      name: text(),
      topics: listOf(text()),
      filter: orNull(named("Filter")),
      startFrom: text(),
      target: shown({ kind: text() }),
      mode: MODE,
      ordering: ORDERING,
      retry: shown(RETRY),
      maxInFlight: whole(1),
      ratePerSecond: orNull(whole(1)),
      timeout: DURATION,
      breaker: shown(BREAKER),
      disableAfter: orNull(DURATION),
      attempts: ATTEMPTS,
      schemas: mapOf(VERSION),
    },
    { batch: shown(BATCH), publicKey: text(), previousUntil: TIME, createdAt: TIME },
  ),
  Subscription: {
    allOf: [
      named("SubscriptionFacts"),
      shown({
        state: oneOfTexts("active", "paused", "disabled"),
        health: shown({
          state: oneOfTexts("closed", "open", "half_open"),
          failures: whole(),
          since: orNull(TIME),
          nextProbeAt: orNull(TIME),
        }),
        stats: shown({
          matched: whole(),
          owed: whole(),
          inFlight: whole(),
          delivered: whole(),
          dead: whole(),
          expired: whole(),
          skipped: whole(),
          discarded: whole(),
          lag: whole(),
          oldestOwedAt: orNull(TIME),
        }),
      }),
    ],
  },
  Delivery: shown({
    ...PLACE,
    state: oneOfTexts("owed", "in_flight", "delivered", "dead"),
    redrives: whole(),
    attempts: listOf(ATTEMPT),
    nextAttemptAt: orNull(TIME),
  }),
  DeadLetter: shown({
    ...PLACE,
    reason: text(),
    fingerprint: text(),
    diedAt: TIME,
    redrives: whole(),
    attempts: listOf(ATTEMPT),
    event: named("Event"),
  }),
  DeadLetterGroup: shown({
    fingerprint: text(),
    reason: text(),
    status: orNull(whole()),
    error: orNull(text()),
    excerpt: text(),
    count: whole(1),
    firstDiedAt: TIME,
    lastDiedAt: TIME,
  }),
  RepairRequest: taken(
    {},
    {
      ids: listOf(shortText(LIMITS.DELIVERY_ID_CHARS_MAX), { minItems: 1, maxItems: LIMITS.LIST_ITEMS_MAX }),
      filter: named("Filter"),
      fingerprint: shortText(LIMITS.DELIVERY_ID_CHARS_MAX),
      all: FLAG,
      dryRun: FLAG,
      ratePerSecond: whole(1, LIMITS.REPAIR_DELIVERIES_PER_SECOND_MAX),
    },
    {
      description: "One of ids, filter, fingerprint and all: true says which dead letters are meant.",
      oneOf: ["ids", "filter", "fingerprint", "all"].map((choice) => ({
        required: [choice],
        properties: { [choice]: choice === "all" ? { const: true } : { not: { type: "null" } } },
      })),
    },
  ),
  RepairAnswer: shown({ matched: whole() }, { job: text() }),
  Job: shown(
    {
      id: text(),
      kind: oneOfTexts("redrive", "discard", "replay"),
      subscription: text(),
      state: oneOfTexts("running", "done", "cancelled", "failed"),
      matched: whole(),
      done: whole(),
      createdAt: TIME,
    },
    { replayed: whole(), endedAt: TIME },
  ),
} as const;
