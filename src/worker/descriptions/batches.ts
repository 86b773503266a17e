/** Batches of jobs. */
import { LIMITS } from "../../core/limits.ts";
import type { RouteDescription, RouteGroup } from "../../wire/openapi/route-description.ts";
import {
  ANYTHING,
  FLAG,
  listOf,
  named,
  oneOfTexts,
  orNull,
  pageOf,
  shortText,
  shown,
  taken,
  text,
  TIME,
  whole,
  type Shapes,
} from "../../wire/openapi/shapes.ts";
import { LIST_QUERY } from "./list-query.ts";

const PUBLISH = "publish on the topic of its jobs";
const LOOK = "publish, history or subscribe on the topic of its jobs";
const WORK = "publish or subscribe on the topic of its jobs";
const TYPE = shortText(LIMITS.EVENT_TYPE_CHARS_MAX, { minLength: 1 });
const TOPIC = shortText(LIMITS.TOPIC_NAME_CHARS_MAX);
const JOBS = listOf(named("NewBatchJob"), { minItems: 1, maxItems: LIMITS.BATCH_REQUEST_JOBS_MAX });
const STATE = oneOfTexts("running", "cancelling", "cancelled", "failed", "finished");
const JOB_STATE = oneOfTexts("open", "completed", "failed", "cancelled");
const TELLS = { then: TYPE, catch: TYPE, finally: TYPE, progress: TYPE };
const BATCH = { "application/json": named("Batch") };

const MODE = oneOfTexts("chain", "parallel");
const OPTIONS = { name: shortText(LIMITS.BATCH_NAME_CHARS_MAX), allowFailures: FLAG, ...TELLS };

export const BATCH_SHAPES: Shapes = {
  NewBatchJob: {
    oneOf: [
      taken({ type: TYPE }, { payload: ANYTHING, key: text(), subject: text() }),
      taken({ batch: named("NestedBatch") }),
    ],
  },
  NestedBatch: taken({ mode: MODE, jobs: JOBS }, OPTIONS),
  BatchRequest: taken(
    { mode: MODE, jobs: JOBS },
    {
      topic: TOPIC,
      eventTopic: TOPIC,
      subscription: shortText(LIMITS.SUBSCRIPTION_NAME_CHARS_MAX),
      ...OPTIONS,
    },
    {
      examples: [
        {
          mode: "chain",
          jobs: [{ type: "payment.create", payload: { order: 1 } }, { type: "order.create" }],
          then: "order.success",
          progress: "order.progress",
        },
      ],
    },
  ),
  Batch: shown(
    {
      id: text(),
      name: orNull(text()),
      mode: MODE,
      state: STATE,
      topic: text(),
      eventTopic: text(),
      subscription: orNull(text()),
      allowFailures: FLAG,
      total: whole(),
      completed: whole(),
      failed: whole(),
      cancelled: whole(),
      open: whole(),
      percent: whole(0, 100),
      round: whole(1),
      createdAt: TIME,
    },
    { ...TELLS, parent: shown({ id: text(), index: whole() }), endedAt: TIME },
  ),
  BatchJob: shown({ index: whole(), type: text(), state: JOB_STATE, run: whole(1) }, { reason: text(), batch: text() }),
};

const act = (verb: string, id: string, summary: string, more: Partial<RouteDescription>): RouteDescription => ({
  route: `POST /v1/batches/:id/${verb}`,
  id,
  summary,
  scope: PUBLISH,
  isRepeatable: true,
  answers: [{ status: 200, says: "As it stands now.", content: BATCH }],
  problems: ["batch_not_found"],
  ...more,
});

const endJob = (verb: "complete" | "fail", summary: string): RouteDescription =>
  act(`jobs/:index/${verb}`, `${verb}BatchJob`, summary, {
    scope: WORK,
    body: { "application/json": taken({}, { reason: shortText(LIMITS.BATCH_REASON_CHARS_MAX) }) },
    isBodyOptional: true,
    answers: [{ status: 200, says: "It has ended so.", content: { "application/json": named("BatchJob") } }],
    problems: ["batch_invalid", "batch_job_not_found", "batch_job_not_started", "batch_job_over", "batch_not_found"],
  });

export const BATCHES: RouteGroup = {
  name: "Batches",
  says: "Jobs that are published together or one after the other, and counted as they end.",
  routes: [
    {
      route: "GET /v1/batches",
      id: "listBatches",
      summary: "List batches, the oldest first",
      scope: "publish, history or subscribe on the topic of their jobs",
      query: LIST_QUERY,
      answers: [
        {
          status: 200,
          says: "By id, which is by time.",
          content: {
            "application/json": pageOf(
              shown({ id: text(), name: orNull(text()), topic: text(), state: STATE, createdAt: TIME }),
            ),
          },
        },
      ],
      problems: ["cursor_invalid"],
    },
    {
      route: "POST /v1/batches",
      id: "createBatch",
      summary: "Publish jobs as a batch",
      details:
        "`subscription`: whose settling ends the jobs; absent, the only one that follows their topic; null: workers " +
        "say by API what became of each.",
      scope: "publish on `topic` and `eventTopic`",
      body: { "application/json": named("BatchRequest") },
      isRepeatable: true,
      answers: [{ status: 201, says: "Made; its first jobs are on their way.", content: BATCH }],
      problems: ["batch_invalid", "schema_violation"],
    },
    {
      route: "GET /v1/batches/:id",
      id: "getBatch",
      summary: "Look at a batch",
      scope: LOOK,
      answers: [{ status: 200, says: "As it stands.", content: BATCH }],
      problems: ["batch_not_found"],
    },
    {
      route: "GET /v1/batches/:id/jobs",
      id: "listBatchJobs",
      summary: "List the jobs of a batch",
      scope: LOOK,
      query: { ...LIST_QUERY, state: { says: "Those that are in that state.", shape: JOB_STATE } },
      answers: [{ status: 200, says: "By index.", content: { "application/json": pageOf(named("BatchJob")) } }],
      problems: ["batch_not_found", "cursor_invalid"],
    },
    act("jobs", "addBatchJobs", "Add jobs to a batch that runs", {
      body: { "application/json": taken({ jobs: JOBS }) },
      problems: ["batch_invalid", "batch_not_found", "batch_over", "schema_violation"],
    }),
    act("cancel", "cancelBatch", "Start nothing more of a batch", {}),
    act("retry", "retryBatch", "Try what failed once more", {
      problems: ["batch_not_found", "batch_over", "batch_running"],
    }),
    endJob("complete", "Say that a job is done"),
    endJob("fail", "Say that a job has failed"),
  ],
};
