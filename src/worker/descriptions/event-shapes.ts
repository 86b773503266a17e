/** Events as they come and go, and what a publish answers. */
import { LIMITS } from "../../core/limits.ts";
import {
  ANYTHING,
  DURATION,
  EXPECTED_VERSION,
  FLAG,
  listOf,
  matching,
  named,
  orNull,
  shortText,
  shown,
  taken,
  text,
  TIME,
  whole,
} from "../../wire/openapi/shapes.ts";

const ATTRIBUTE = shortText(LIMITS.EVENT_ATTRIBUTE_BYTES_MAX, { minLength: 1 });
const TYPE = shortText(LIMITS.EVENT_TYPE_CHARS_MAX, { minLength: 1, examples: ["order.created"] });
const ID = shortText(LIMITS.EVENT_ID_BYTES_MAX, { minLength: 1 });

export const EVENT_SHAPES = {
  CloudEvent: shown(
    { specversion: text({ const: "1.0" }), id: ID, source: ATTRIBUTE, type: TYPE },
    {
      time: TIME,
      datacontenttype: ATTRIBUTE,
      dataschema: ATTRIBUTE,
      subject: ATTRIBUTE,
      partitionkey: shortText(LIMITS.EVENT_KEY_BYTES_MAX),
      data: ANYTHING,
      data_base64: text({ contentEncoding: "base64" }),
    },
    { description: "A CloudEvent 1.0 in its JSON form; any other member is an extension." },
  ),
  Event: {
    description: "An event of a log: a CloudEvent with the hub's extensions.",
    allOf: [
      named("CloudEvent"),
      shown(
        { time: TIME, topic: text(), partition: whole(), offset: whole(1), appendedat: TIME },
        { keyversion: whole(1), schemaversion: whole(1), traceparent: text(), expirytime: TIME },
      ),
    ],
  },
  Draft: taken(
    { type: TYPE },
    {
      data: ANYTHING,
      data_base64: text({ contentEncoding: "base64" }),
      datacontenttype: ATTRIBUTE,
      id: ID,
      key: shortText(LIMITS.EVENT_KEY_BYTES_MAX, { minLength: 1 }),
      source: ATTRIBUTE,
      subject: ATTRIBUTE,
      time: TIME,
      dataschema: ATTRIBUTE,
      traceparent: text(),
      tracestate: text(),
      expectedKeyVersion: EXPECTED_VERSION,
      exclude: text(),
      deliverAt: TIME,
      ttl: DURATION,
    },
    {
      description: "What the hub needs of an event; the rest it fills in.",
      examples: [{ type: "order.created", data: { total: 5 } }],
    },
  ),
  Envelope: taken(
    { event: TYPE },
    {
      payload: ANYTHING,
      payload_base64: text(),
      meta: taken({}, { event_id: ID, timestamp: TIME, source: ATTRIBUTE }),
    },
    { description: "The portable envelope: a draft by other names." },
  ),
  Receipt: shown(
    { topic: text(), partition: whole() },
    {
      id: text(),
      offset: whole(1),
      cursor: text(),
      keyVersion: whole(1),
      duplicate: FLAG,
      scheduled: FLAG,
      deliverAt: TIME,
      problem: named("Problem"),
    },
    {
      description:
        "Where the event stands, or until when it waits; or, where its partition alone refused, the problem.",
    },
  ),
  SyncOutcome: shown(
    {
      subscription: text(),
      event: text(),
      outcome: text({ enum: ["delivered", "failed", "timeout", "queued"] }),
      durationMs: whole(),
    },
    { status: whole() },
  ),
  EventStory: shown({
    event: named("CloudEvent"),
    trace: orNull(shown({ traceId: text(), traceparent: text(), tracestate: orNull(text()) })),
    subscriptions: listOf(
      shown({ subscription: text(), target: text(), outcome: text(), deliveries: listOf(named("Delivery")) }),
    ),
    stages: listOf(shown({ stage: text(), at: TIME })),
    complete: FLAG,
  }),
  Gap: shown({
    partition: whole(),
    requested: whole(),
    firstHeld: whole(),
    reason: text({ enum: ["trimmed", "epoch", "ahead"] }),
  }),
} as const;

export const DRAFTS = {
  anyOf: [
    named("Draft"),
    named("Envelope"),
    listOf({ anyOf: [named("Draft"), named("Envelope")] }, { minItems: 1, maxItems: LIMITS.REQUEST_EVENTS_MAX }),
    taken({
      events: listOf(
        { anyOf: [named("Draft"), named("Envelope")] },
        { minItems: 1, maxItems: LIMITS.REQUEST_EVENTS_MAX },
      ),
    }),
  ],
};

export const POSITION = matching(/^(earliest|latest|offset:[0-9]+|time:.+|cursor:.+)$/, {
  examples: ["earliest", "offset:7", "time:2026-01-01T00:00:00Z"],
});
