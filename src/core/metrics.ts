/**
 * Every metric of the hub, in one table: the scrape, docs/operations/metrics.md and the tests are read from it. Labels
 * take few values, all of them the hub's own but the names of apps and subscriptions, of which a scrape shows so many
 * (`METRICS_…_MAX`). A metric without the label `app` is of the hub as a whole.
 */
interface MetricSpec {
  readonly type: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
  readonly help: string;
  /** `counted` where it happens, and kept; `told` by the objects when they are asked. */
  readonly from: "counted" | "told";
}

const counted = (help: string, ...labels: readonly string[]): MetricSpec => {
  return { type: "counter", labels, help, from: "counted" };
};
const told = (type: "counter" | "gauge", help: string, ...labels: readonly string[]): MetricSpec => {
  return { type, labels, help, from: "told" };
};

export const METRICS = {
  tidings_attempt_duration_seconds: {
    type: "histogram",
    labels: ["app", "target"],
    help: "How long attempts at targets took, by the kind of the target.",
    from: "counted",
  },
  tidings_attempts_total: counted("Attempts at targets, by what came of them.", "app", "target", "outcome"),
  tidings_deliveries_total: told("counter", "Deliveries that have ended, by how.", "app", "subscription", "outcome"),
  tidings_errors_total: counted("Calls to D1, to objects or to queues that failed, by which.", "source"),
  tidings_events_appended_total: counted("Events that logs have taken.", "app"),
  tidings_events_appended_bytes_total: counted("Their size as they stand in the logs, in characters.", "app"),
  tidings_events_deduplicated_total: counted("Events that a log had already, and answered again.", "app"),
  tidings_frames_sent_total: counted("Messages sent over sockets, by protocol; a pong is none.", "app", "protocol"),
  tidings_frames_sent_bytes_total: counted("Their size, in characters.", "app", "protocol"),
  tidings_http_requests_total: counted("Requests, by the class of their answer.", "app", "status"),
  tidings_log_commits_total: counted(
    "Transactions that logs have appended in; several publishes may share one.",
    "app",
  ),
  tidings_object_rows_written_total: counted("Rows written in objects, which are billed.", "app", "object"),
  tidings_operations_total: counted("What the hub has told on $system.operations, by kind.", "app", "kind"),
  tidings_publishes_total: counted("Publishes of one or more events to one topic.", "app"),
  tidings_queue_operations_total: counted(
    "Messages written, read and deleted in queues, which are billed.",
    "operation",
  ),
  tidings_refusals_total: counted("Requests that were refused, by code.", "code"),
  tidings_scrape_left_out: told(
    "gauge",
    "Subscriptions and apps that this scrape does not show, for there are too many.",
  ),
  tidings_scrape_unreached: told("gauge", "Objects that did not answer this scrape."),
  tidings_sockets: told("gauge", "Open sockets, streams and long polls.", "app", "protocol", "region"),
  tidings_subscription_breaker_open: told(
    "gauge",
    "1 while the endpoint's breaker is not closed.",
    "app",
    "subscription",
  ),
  tidings_subscription_dead_letters: told("gauge", "Dead letters that are held.", "app", "subscription"),
  tidings_subscription_in_flight: told("gauge", "Owed deliveries that a consumer holds.", "app", "subscription"),
  tidings_subscription_lag_events: told("gauge", "Events that were not examined yet.", "app", "subscription"),
  tidings_subscription_oldest_owed_seconds: told(
    "gauge",
    "For how long the oldest delivery has been owed; 0: none is.",
    "app",
    "subscription",
  ),
  tidings_subscription_owed: told("gauge", "Deliveries that are owed.", "app", "subscription"),
  tidings_subscription_running: told(
    "gauge",
    "1 while it is active, 0 when paused or disabled.",
    "app",
    "subscription",
  ),
} as const satisfies Readonly<Record<string, MetricSpec>>;

export type MetricName = keyof typeof METRICS;
export type Labels = Readonly<Record<string, string>>;

/** A value to add to, or the value there is. `labels` in the order of the table; `le` ends a bucket's. */
export interface Sample {
  readonly name: MetricName;
  readonly labels: Labels;
  readonly value: number;
}

/** Upper bounds, seconds: an attempt ends at its subscription's timeout at the latest. */
export const DURATION_BUCKETS_SECONDS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** The same for the same series, and for no other. */
export function seriesKey(name: MetricName, labels: Labels): string {
  let key: string = name;
  // The length keeps a value from ending as another pair begins.
  for (const [label, value] of Object.entries(labels)) key += ` ${label} ${value.length} ${value}`;
  return key;
}
