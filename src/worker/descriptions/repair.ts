/** What was not delivered: looked at, sent again, left aside; and the jobs that do so for many. */
import { LIMITS } from "../../core/limits.ts";
import type { RouteDescription, RouteGroup } from "../../wire/openapi/route-description.ts";
import {
  FLAG,
  listOf,
  named,
  oneOfTexts,
  pageOf,
  shortText,
  shown,
  taken,
  text,
  whole,
} from "../../wire/openapi/shapes.ts";
import { POSITION } from "./event-shapes.ts";
import { LIST_QUERY } from "./list-query.ts";

const MANAGE = "manage on its topics";
const REDRIVE = "redrive on its topics";
const TOPIC = shortText(LIMITS.TOPIC_NAME_CHARS_MAX);
const PARTITION = whole(0, LIMITS.TOPIC_PARTITIONS_MAX - 1);
const RATE = whole(1, LIMITS.REPAIR_DELIVERIES_PER_SECOND_MAX);
const CHOICE = taken({ id: shortText(LIMITS.DELIVERY_ID_CHARS_MAX) });
const JOB = { "application/json": named("Job") };

const repair = (verb: "redrive" | "discard", summary: string): RouteDescription => ({
  route: `POST /v1/subscriptions/:name/dead-letters/${verb}`,
  id: `${verb}DeadLetters`,
  summary,
  scope: REDRIVE,
  body: { "application/json": named("RepairRequest") },
  isRepeatable: true,
  answers: [
    { status: 200, says: "Done, or only counted.", content: { "application/json": named("RepairAnswer") } },
    { status: 202, says: "A job goes on with it.", content: { "application/json": named("RepairAnswer") } },
  ],
  problems: ["filter_invalid", "subscription_not_found", "too_many_jobs"],
});

const decide = (verb: "skip" | "retry", summary: string): RouteDescription => ({
  route: `POST /v1/subscriptions/:name/${verb}`,
  id: `${verb}Delivery`,
  summary,
  scope: REDRIVE,
  body: { "application/json": CHOICE },
  isRepeatable: true,
  answers: [{ status: 200, says: "Done.", content: { "application/json": shown({ id: text() }) } }],
  problems: ["delivery_not_found", "subscription_not_found"],
});

export const REPAIR: RouteGroup = {
  name: "Repair",
  says: "Dead letters, replays and jobs.",
  routes: [
    {
      route: "GET /v1/subscriptions/:name/dead-letters",
      id: "listDeadLetters",
      summary: "List dead letters, each with its own copy of the event",
      scope: MANAGE,
      query: {
        ...LIST_QUERY,
        filter: { says: "A content filter over the events, as JSON.", shape: text() },
        reason: { says: "Those that died for it.", shape: text() },
        fingerprint: { says: "Those of one group.", shape: text() },
      },
      answers: [{ status: 200, says: "In order.", content: { "application/json": pageOf(named("DeadLetter")) } }],
      problems: [
        "cursor_invalid",
        "filter_invalid",
        "json_invalid",
        "json_too_deep",
        "json_too_many_keys",
        "subscription_not_found",
      ],
    },
    {
      route: "GET /v1/subscriptions/:name/dead-letters/groups",
      id: "listDeadLetterGroups",
      summary: "Count dead letters that died alike",
      scope: MANAGE,
      query: LIST_QUERY,
      answers: [
        { status: 200, says: "By fingerprint.", content: { "application/json": pageOf(named("DeadLetterGroup")) } },
      ],
      problems: ["cursor_invalid", "subscription_not_found"],
    },
    repair("redrive", "Deliver dead letters once more"),
    repair("discard", "Give dead letters up"),
    decide("skip", "Leave a delivery that waits for its next attempt aside"),
    decide("retry", "Make the next attempt at a delivery now"),
    {
      route: "POST /v1/subscriptions/:name/seek",
      id: "seekSubscription",
      summary: "Go on from another place",
      scope: MANAGE,
      body: {
        "application/json": taken({ to: POSITION }, { topic: TOPIC, partition: PARTITION, dryRun: FLAG }),
      },
      isRepeatable: true,
      answers: [
        {
          status: 200,
          says: "What is examined again, and what never.",
          content: {
            "application/json": shown({
              again: whole(),
              skipped: whole(),
              partitions: listOf(
                shown({
                  topic: text(),
                  partition: whole(),
                  from: whole(),
                  to: whole(),
                  again: whole(),
                  skipped: whole(),
                }),
              ),
            }),
          },
        },
      ],
      problems: [
        "cursor_invalid",
        "deliveries_owed",
        "partition_required",
        "subscription_not_found",
        "topic_not_found",
      ],
    },
    {
      route: "POST /v1/subscriptions/:name/replay",
      id: "replaySubscription",
      summary: "Deliver a range of the logs once more",
      scope: REDRIVE,
      body: {
        "application/json": taken(
          { mode: oneOfTexts("force", "missing", "failed"), from: POSITION },
          {
            to: POSITION,
            topic: TOPIC,
            partition: PARTITION,
            filter: named("Filter"),
            dryRun: FLAG,
            ratePerSecond: RATE,
          },
        ),
      },
      isRepeatable: true,
      answers: [200, 202].map((status) => ({
        status,
        says: status === 200 ? "Nothing to do, or only counted." : "A job goes on with it.",
        content: {
          "application/json": shown(
            {
              matched: whole(),
              partitions: listOf(shown({ topic: text(), partition: whole(), from: whole(), to: whole() })),
            },
            { job: text() },
          ),
        },
      })),
      problems: [
        "cursor_invalid",
        "filter_invalid",
        "partition_required",
        "replay_under_way",
        "replay_unknown",
        "subscription_not_found",
        "too_many_jobs",
        "topic_not_found",
      ],
    },
    {
      route: "GET /v1/jobs/:id",
      id: "getJob",
      summary: "See how far a job is",
      scope: "manage or redrive on its subscription's topics",
      answers: [{ status: 200, says: "The job.", content: JOB }],
      problems: ["job_not_found"],
    },
    {
      route: "POST /v1/jobs/:id/cancel",
      id: "cancelJob",
      summary: "Stop a job where it is",
      scope: "redrive on its subscription's topics",
      isRepeatable: true,
      answers: [{ status: 200, says: "The job.", content: JOB }],
      problems: ["job_not_found"],
    },
  ],
};
