/**
 * Every limit, in one table: the unit stands last in the name, the reason behind it, with the platform's own limit it
 * stays under. `GET /v1/limits` serves it; nothing else in the code is a bare number that a client can run into.
 */
const KB = 1_024;
const MB = 1_024 * KB;
const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

export const LIMITS = {
  // What comes in.
  EVENT_BYTES_MAX: 256 * KB, // a row is ≤ 2 MB, and a page should hold more than a handful
  REQUEST_BYTES_MAX: 1 * MB, // read whole before it is parsed; the isolate has 128 MB
  REQUEST_EVENTS_MAX: 500,
  EVENT_TTL_MS_MIN: 1 * SECOND,
  EVENT_TTL_MS_MAX: 365 * DAY,
  DELIVER_AT_MS_MAX: 366 * DAY, // from now: a year, however long it is
  SCHEDULED_EVENTS_MAX: 100_000, // of one partition, a row each
  SCHEDULED_EVENTS_PER_SLICE: 500, // that become events in one turn of the log
  APP_SCHEDULES_MAX: 1_000,
  SCHEDULES_PER_TURN_MAX: 50, // that publish in one turn of their alarm, each one event
  SCHEDULES_AT_ONCE_MAX: 10, // of those
  SCHEDULE_LATE_MS: 60 * SECOND, // what is missed by less is made up for in any case
  SCHEDULE_CATCH_UP_MS: 24 * HOUR, // with `"catchUp": "all"`; ids of events are known for as long
  SCHEDULE_RETRY_MS: 5 * SECOND, // after the first failure, then doubling
  SCHEDULE_RETRY_MS_MAX: 300 * SECOND,
  SCHEDULE_ATTEMPTS_MAX: 250, // of one occurrence: about 20 hours
  JSON_DEPTH_MAX: 64, // deep JSON parses, then dies later in RPC
  JSON_KEYS_MAX: 10_000, // members of one event
  EVENT_ID_BYTES_MAX: 256,
  EVENT_KEY_BYTES_MAX: 256,
  EVENT_TYPE_CHARS_MAX: 255,
  EVENT_ATTRIBUTE_BYTES_MAX: 4 * KB, // source, subject, dataschema and each extension
  EVENT_EXTENSIONS_MAX: 32,
  TRACESTATE_MEMBERS_MAX: 32, // W3C Trace Context, §3.3.1.1
  TRACESTATE_CHARS_MAX: 512, // §3.3.1.5: what every vendor is to keep at least
  TOPIC_NAME_CHARS_MAX: 200,
  TOPIC_PARTITIONS_MAX: 64,
  IDEMPOTENCY_KEY_CHARS_MAX: 255,
  IDEMPOTENCY_KEEP_MS: 24 * HOUR,
  IDEMPOTENCY_LEASE_MS: 10 * SECOND,
  URL_CHARS_MAX: 2_048,

  // What is kept.
  SEGMENT_BYTES_MAX: 1 * MB, // a row is ≤ 2 MB; the local runtime does not enforce that, so we do
  LOG_BYTES_MAX: 8_192 * MB, // an object holds 10 GB
  DEDUP_KEEP_MS_MIN: 24 * HOUR,
  RETENTION_AGE_MS_DEFAULT: 30 * 24 * HOUR,
  RETENTION_AGE_MS_MIN: 1 * SECOND,
  RETENTION_NONE_MS: 60 * SECOND, // with `retention: "none"`: what a live reader may still need
  APP_POLICIES_MAX: 100,
  POLICY_TOPICS_MAX: 100,
  TRIM_SEGMENTS_PER_SLICE: 500, // one turn of the alarm stays short, so appends do not wait behind it

  // What goes out.
  PAGE_EVENTS_MAX: 1_000,
  PAGE_EVENTS_DEFAULT: 100,
  PAGE_BYTES_MAX: 4 * MB, // an RPC answer is ≤ 32 MB
  PAGE_EXAMINED_MAX: 10_000,
  WAIT_MS_MAX: 30 * SECOND,
  SETTLED_WAITERS_MAX: 1_000, // of one subscription; whoever comes then is told at once how far it is
  STORY_SUBSCRIPTIONS_MAX: 100, // ledgers that are asked what became of one event
  LIST_ITEMS_MAX: 1_000,
  LIST_ITEMS_DEFAULT: 100,

  // Sockets.
  HUB_SOCKETS_DEFAULT: 5_000, // one object could hold 32,768; this many it serves briskly
  REGION_HUBS_MAX: 50, // hubs of one app, protocol and region: a log tells each of them
  FRAME_IN_BYTES_MAX: 64 * KB,
  FRAME_OUT_BYTES_MAX: 1 * MB,
  FRAME_MESSAGES_MAX: 100,
  CHANNELS_PER_SOCKET_MAX: 100,
  WAITING_FRAMES_MAX: 1_000, // of one client, behind the one that is being worked on
  WAITING_BYTES_MAX: 1 * MB, // likewise
  HUB_WAITING_BYTES_MAX: 32 * MB, // of all its clients together; an object has 128 MB
  ACK_WINDOW_FRAMES: 1_000, // frames sent and not acknowledged, before live sending stops
  ACK_WINDOW_BYTES: 1 * MB,
  READER_STALL_MS: 30 * SECOND, // behind for so long without a ping: closed 4008
  PUSH_BYTES_MAX: 1 * MB, // one push from a log to a listener
  CLIENT_EVENTS_PER_SECOND: 10, // of one connection, and so many at once
  CLIENT_EVENTS_WAITING_MAX: 100, // of one hub, behind a push that is under way; older ones are dropped
  UNHEARD_BYTES_MAX: 1 * MB, // sent to a connection since it was last heard of; more is not sent to it

  // Presence.
  PRESENCE_MEMBERS_MAX: 1_000, // of one channel
  PRESENCE_BYTES_MAX: 1 * MB, // their ids and data together: who comes late gets all of them in one frame
  PRESENCE_GRACE_MS: 1 * SECOND, // after a clean close or a page that goes away: a reload is no leave
  PRESENCE_RESET_GRACE_MS: 3 * SECOND, // after a connection that broke
  PRESENCE_SILENCE_MS: 30 * SECOND, // a member that lets nothing be heard for so long is closed, when the hub looks

  // Delivery.
  DISPATCH_DELIVERIES_MAX: 100,
  DISPATCH_INLINE_BYTES_MAX: 64_000, // a queue message is ≤ 128 KB and billed per 64 KB
  DISPATCH_CONNECTIONS_MAX: 6, // what one invocation may have waiting for headers
  DISPATCH_WORK_MS_MAX: 25 * SECOND, // waitUntil ends 30 s after the invocation
  DISPATCH_RING_MS: 5 * SECOND, // unclaimed for so long: rung again, then doubling
  DISPATCH_RING_MS_MAX: 300 * SECOND,
  LEDGER_LOOK_MS: 30 * SECOND, // how far ahead a ledger's alarm stands at most, whatever it waits for
  ALARM_LATE_MS: 5 * SECOND, // one that is later than this is set anew by whoever comes
  DISPATCH_LAPSES_MAX: 5, // claims that ended without a settle before the lapse counts as an attempt
  SETTLE_OUTCOMES: 25, // that are settled together, and more where they come faster than SETTLE_APART_MS lets them go
  SETTLE_APART_MS: 50, // between two settles of one consumer with a fast target
  SETTLES_MEET_MS: 40, // that end no dispatch wait so long for others, to share a commit with them
  SETTLE_INTERVAL_MS: 250, // what comes slowly waits no longer
  CLAIM_MARGIN_MS: 10 * SECOND, // a claim's lease: the subscription's timeout and this
  ATTEMPTS_DEFAULT: 8,
  ATTEMPTS_MAX: 50,
  RETRY_DELAY_MS_MAX: 24 * HOUR,
  RETRY_AFTER_MS_MAX: 1 * HOUR,
  BREAKER_ATTEMPTS_DEFAULT: 20, // failed in a row, before an endpoint is left alone
  BREAKER_ATTEMPTS_MAX: 10_000,
  BREAKER_OVER_MS_DEFAULT: 300 * SECOND, // and over so long: a restart of the endpoint is no reason
  BREAKER_OVER_MS_MAX: 1 * DAY,
  BREAKER_PROBE_MS_DEFAULT: 30 * SECOND,
  BREAKER_PROBE_MS_MIN: 1 * SECOND,
  BREAKER_PROBE_MS_MAX: 1 * HOUR,
  DISABLE_AFTER_MS_DEFAULT: 5 * DAY, // of failing without an end
  DISABLE_AFTER_MS_MIN: 1 * SECOND,
  DISABLE_AFTER_MS_MAX: 365 * DAY,
  TIMEOUT_MS_DEFAULT: 15 * SECOND,
  TIMEOUT_MS_MAX: 20 * SECOND,
  IN_FLIGHT_DEFAULT: 200, // two full dispatches: one is worked on while the next waits
  IN_FLIGHT_MAX: 1_000,
  REPUBLISH_HOPS_MAX: 5, // from topic to topic; a way round that no id ends is cut here
  CALLS_PER_SECOND_MAX: 10_000,
  BATCH_EVENTS_DEFAULT: 100,
  BATCH_EVENTS_MAX: 500,
  BATCH_BYTES_DEFAULT: 256 * KB,
  BATCH_BYTES_MAX: 1 * MB, // read whole from the log, and held whole while it is sent
  BATCH_BYTES_MIN: 1 * KB,
  BATCH_WAIT_MS_DEFAULT: 1 * SECOND,
  BATCH_WAIT_MS_MAX: 60 * SECOND,
  LANE_DELIVERIES_MAX: 10_000, // deliveries behind others of their key; above it the rest waits in the log
  KEPT_DELIVERIES_MAX: 1_000, // with `attempts: "all"`: the last that were delivered, with their attempts
  RESPONSE_READ_BYTES_MAX: 64 * KB,
  RESPONSE_KEPT_BYTES_MAX: 4 * KB,
  TARGET_HEADERS_MAX: 20,
  TARGET_HEADER_NAME_CHARS_MAX: 64,
  TARGET_HEADER_VALUE_CHARS_MAX: 1 * KB,
  SIGNING_KEYS_MAX: 5, // that sign at once, during rotations
  SECRET_OVERLAP_MS_DEFAULT: 24 * HOUR,
  SECRET_OVERLAP_MS_MAX: 7 * DAY,
  HANDSHAKE_MS_MAX: 5 * SECOND, // a PUT waits for it
  RESOLVE_MS_MAX: 2 * SECOND, // a look-up of a target's name; a PUT goes on without it, an attempt fails
  RESOLVE_KEEP_MS_MAX: 60 * SECOND, // whatever the record's own TTL says
  RESOLVE_KEEP_ENTRIES_MAX: 1_000,
  DELIVERY_ID_CHARS_MAX: 200,
  CACHED_KEY_BYTES_MAX: 512, // of what listeners cache; a row of D1 is ≤ 2 MB
  CACHED_VALUE_BYTES_MAX: 256 * KB,
  SUBSCRIPTION_NAME_CHARS_MAX: 100,
  SUBSCRIPTION_TOPICS_MAX: 100,
  FILTER_BYTES_MAX: 4 * KB,
  FILTER_DEPTH_MAX: 8,
  FILTER_VALUES_MAX: 200,
  SYNC_HOLD_MS: 1 * SECOND, // so long events wait for their publish to deliver them, before the queue gets them
  PULL_DELIVERIES_MAX: 1_000, // of one request; the answer holds at most PAGE_BYTES_MAX of events
  PULL_DELIVERIES_DEFAULT: 100,
  PULL_LEASE_MS_DEFAULT: 30 * SECOND,
  PULL_LEASE_MS_MIN: 1 * SECOND,
  PULL_LEASE_MS_MAX: 12 * HOUR, // from now, extended or not
  ACK_ITEMS_MAX: 1_000, // acks, nacks and extends of one request together
  NACK_REASON_CHARS_MAX: 1_000,
  REPAIR_DELIVERIES_MAX: 1_000, // dead letters that one request moves before its answer; more are moved by a job
  REPAIR_DELIVERIES_PER_SECOND_MAX: 10_000,
  SEEK_PARTITIONS_MAX: 1_000, // each log is asked for its place
  PASSED_OVER_RANGES_MAX: 10_000, // of one subscription, a row each; the oldest are forgotten, and `missing` says so
  SUBSCRIPTION_JOBS_MAX: 10, // of one subscription
  ATTACH_TOPICS_INLINE_MAX: 200, // above it a PUT answers 202 and the cron goes on

  // Contracts.
  APP_SCHEMAS_MAX: 1_000, // types; an isolate keeps their names
  SCHEMA_VERSIONS_MAX: 200, // of one type
  SCHEMA_BYTES_MAX: 64 * KB,
  SCHEMA_COMPARED_BYTES_MAX: 1 * MB, // of the versions before, in one transitive check; what is beyond is not decided
  SCHEMA_DEPTH_MAX: 64, // a check goes as deep on the stack
  SCHEMA_SIZE_MAX: 5_000, // schemas in it, those that are referred to counted each time
  SCHEMA_WIDTH_MAX: 200, // schemas that look at one value
  SCHEMA_CHECKS_MAX: 50_000, // of one event: its values times the schemas that look at each; about 50 ms
  SCHEMA_ENUM_VALUES_MAX: 1_000,
  SCHEMA_UNIQUE_ITEMS_MAX: 200, // each is compared with each
  SCHEMA_PATTERN_CHARS_MAX: 1_000,
  SCHEMA_PATTERN_STEPS_MAX: 250, // with its repeats written out
  SCHEMA_PATTERN_CHECKS_MAX: 50_000_000, // of one event: its characters times the looks at each; about half a second
  SCHEMA_DIFFERENCES_MAX: 50, // that are named
  UPCAST_STEPS_MAX: 50, // from one version to the next
  UPCAST_BYTES_MAX: 4 * KB,
  LIFTED_TYPES_MAX: 20, // that one reader has lifted
  LIFTS_BYTES_MAX: 32 * KB, // what lifts them; a subscription carries it

  // Commands.
  APP_COMMANDS_MAX: 1_000,
  COMMAND_ATTEMPTS_DEFAULT: 20,
  COMMAND_ATTEMPTS_MAX: 100,
  COMMAND_EVENTS_MAX: 100, // of one command
  COMMAND_MS_DEFAULT: 5 * SECOND, // for all attempts together
  COMMAND_MS_MAX: 8 * SECOND, // within an idempotency lease, so that nobody takes over what may still append
  COMMAND_REASON_CHARS_MAX: 1_000, // of a rejection; the rest is cut off
  SNAPSHOT_EVENTS: 100, // folded since the last snapshot, before another is kept
  SNAPSHOT_BYTES_MAX: 256 * KB, // of one key's state; a larger one is folded anew each time

  // The catalog.
  SIGHTING_RENEW_MS: 1 * HOUR, // so often an isolate writes that a producer or reader is still there
  SIGHTING_KEEP_MS: 30 * DAY,
  SIGHTING_WRITES_PER_MINUTE: 60, // of one isolate; what is too much is noticed again when it comes again
  CATALOG_TYPES_MAX: 100, // of one page: each may bring a schema of 64 KB
  ASYNCAPI_SCHEMA_BYTES_MAX: 2 * MB, // written out in one document; what is over it is named only
  APP_SIGHTINGS_MAX: 5_000,
  TYPE_SIGHTINGS_MAX: 100, // sources and topics of one type

  // Batches of jobs.
  BATCH_JOBS_MAX: 10_000, // of one batch, a row each in its object
  BATCH_REQUEST_JOBS_MAX: 1_000, // of one request, which is at most REQUEST_BYTES_MAX; more are added while it runs
  BATCH_DEPTH_MAX: 3, // a batch, those that are its jobs, and those that are theirs
  BATCH_NAME_CHARS_MAX: 200,
  BATCH_REASON_CHARS_MAX: 1_000, // why a job failed
  BATCH_JOBS_PER_APPEND: 250, // and as many bytes as a segment holds
  BATCH_KEEP_MS: 7 * DAY, // after its end; then nothing is left of it but its events
  BATCH_IDLE_MS_MAX: 31 * DAY, // without an end of any job: what is open then counts as failed, so no batch is for ever
  BATCH_CANCELLED_KEEP_MS: 365 * DAY, // so long a ledger knows what it must not deliver, should a seek bring it again

  // Access.
  APP_NAME_CHARS_MAX: 63,
  APP_ORIGINS_MAX: 100, // of one app
  APP_KEYS_MAX: 1_000,
  APP_REVOCATIONS_MAX: 10_000, // of users and tokens, in the last hour or so: each isolate remembers all of them
  KEY_NAME_CHARS_MAX: 100,
  CREDENTIAL_CHARS_MAX: 8 * KB, // a JWT with its scopes and its user; more is a header nobody should send
  CREDENTIAL_SCOPES_MAX: 50, // of one key or token; with the user they travel in a socket's attachment of ≤ 16 KB
  CREDENTIAL_SCOPES_BYTES_MAX: 3 * KB,
  USER_ID_BYTES_MAX: 256,
  USER_DATA_BYTES_MAX: 4 * KB,
  TOKEN_LIFE_MS_DEFAULT: 15 * 60 * SECOND,
  TOKEN_LIFE_MS_MAX: 1 * HOUR,
  TOKEN_LIFE_MS_MIN: 1 * SECOND,
  TOKEN_EARLY_MS_MAX: 5 * SECOND, // so far may the clock of who signs be ahead; a revocation reaches as far
  TOKEN_CACHE_ENTRIES_MAX: 1_000, // verified and kept by an isolate, each with up to 8 KB of claims
  KEY_OVERLAP_MS_DEFAULT: 1 * DAY, // after a rotation the secret before is good for so long
  KEY_OVERLAP_MS_MAX: 7 * DAY,
  ACCESS_REFRESH_MS: 1 * SECOND, // a busy isolate asks so often for revocations, beside its requests
  ACCESS_STALE_MS_MAX: 5 * SECOND, // one that has not asked for so long asks before it answers
  AUDIT_KEEP_MS: 365 * DAY,
  APP_TOPICS_DEFAULT: 10_000,
  APP_SUBSCRIPTIONS_DEFAULT: 1_000,
  SOCKET_FRAMES_PER_SECOND_DEFAULT: 500,
  SOCKET_FRAMES_BURST_MAX: 2_000,

  // Pusher's protocol, whose clients and libraries count on these.
  PUSHER_DATA_BYTES_MAX: 10 * KB, // of one event
  PUSHER_NAME_CHARS_MAX: 200, // of one event
  PUSHER_CHANNELS_MAX: 100, // of one event
  PUSHER_BATCH_EVENTS_MAX: 10,
  PUSHER_CLOCK_MS_MAX: 600 * SECOND, // so far may the clock of who signs a request be off
  PUSHER_ACTIVITY_MS: 120 * SECOND, // after so long without a word a client pings
  PUSHER_WATCHLIST_USERS_MAX: 100, // more are left out, and the client is told

  // Time.
  CONFIG_CACHE_MS: 30 * SECOND,
  CONFIG_CACHE_ENTRIES_MAX: 10_000,
  TELL_AGAIN_MS: 5 * SECOND, // the log's standing alarm

  // Operation.
  LAG_TOLD_EVENTS_DEFAULT: 10_000, // a subscription so far behind is told of on $system.operations
  STALLED_TOLD_MS_DEFAULT: 900 * SECOND, // so is one that owes a delivery for so long
  LOG_TOLD_BYTES_DEFAULT: 6_554 * MB, // four fifths of LOG_BYTES_MAX: a log so large is told of there too
  SCHEMA_REJECTED_TOLD_MS: 300 * SECOND, // of one type and topic once in so long, however much is refused
  STANDING_LOOK_MS: 1 * SECOND, // how often a ledger at work looks at itself
  OVERVIEW_PARTITIONS_MAX: 100, // that one overview asks for their size
  OVERVIEW_SUBSCRIPTIONS_MAX: 100, // that it asks
  OVERVIEW_CHANNELS_MAX: 20,
  OVERVIEW_EVENTS_MAX: 20, // the last that operators were told
  METRICS_APPS_MAX: 100, // apps that one scrape shows
  METRICS_SUBSCRIPTIONS_MAX: 200, // subscriptions that one scrape asks and shows
  METRICS_SERIES_MAX: 2_000, // of one app, in one tally: its row is ≤ 2 MB
  METRICS_SHARDS: 8,
  METRICS_FLUSH_MS: 10 * SECOND, // an isolate's counts are kept once in so long: one row of each app
  LOG_LINE_APART_MS: 1 * SECOND, // between lines in which a partition's log sums up what it appended
  TRACE_SPANS_MAX: 2_048, // of one isolate, until they are exported
  TRACE_EXPORT_MS: 1 * SECOND, // spans go together for so long
  METRICS_CACHE_MS: 5 * SECOND, // a scrape is answered again so long
} as const;

export type LimitName = keyof typeof LIMITS;
