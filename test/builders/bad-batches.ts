/** Bad requests at the doors of batches. Nobody is named by these ids, and the topic `steady` has no subscription. */
import type { ErrorCode } from "../../src/core/errors.ts";
import { LIMITS } from "../../src/core/limits.ts";
import { bad, MARK, type BadRequest } from "./refusals.ts";

const JSON_TYPE = { "content-type": "application/json" };
const NOT_THERE = `batch_${"0".repeat(32)}_workers`;
const JOB = { type: "work" };

const batch = (name: string, more: object, code: ErrorCode = "batch_invalid"): BadRequest =>
  bad(
    `a batch ${name}`,
    "POST /v1/batches",
    code,
    JSON_TYPE,
    JSON.stringify({ mode: "chain", subscription: null, jobs: [JOB], ...more }),
  );

const at = (rest: string, body: object, code: ErrorCode = "batch_not_found", id = NOT_THERE): BadRequest =>
  bad(`${rest} of a batch that is not there`, `POST /v1/batches/${id}/${rest}`, code, JSON_TYPE, JSON.stringify(body));

export const BAD_BATCHES: readonly BadRequest[] = [
  bad("a batch that is no JSON", "POST /v1/batches", "json_invalid", JSON_TYPE, "{"),
  bad("a batch that is a list", "POST /v1/batches", "batch_invalid", JSON_TYPE, "[]"),
  bad("a batch as text", "POST /v1/batches", "content_type_unsupported", { "content-type": "text/plain" }, "{}"),
  batch("of no mode", { mode: undefined }),
  batch("of another mode", { mode: "tree" }),
  batch("with an unknown member", { unheardOf: MARK }),
  batch("without jobs", { jobs: undefined }),
  batch("of no jobs", { jobs: [] }),
  batch("of too many jobs", { jobs: Array.from({ length: LIMITS.BATCH_REQUEST_JOBS_MAX + 1 }, () => JOB) }),
  batch("whose jobs are none", { jobs: 7 }),
  batch("with a job that is none", { jobs: [7] }),
  batch("with a job without a type", { jobs: [{ payload: 1 }] }),
  batch("with a job of an empty type", { jobs: [{ type: "" }] }),
  batch("with a job with an id", { jobs: [{ type: "work", id: MARK }] }),
  batch("with a job that is a batch and more", { jobs: [{ type: "work", batch: { mode: "chain", jobs: [JOB] } }] }),
  batch("with a batch inside of no jobs", { jobs: [{ batch: { mode: "chain", jobs: [] } }] }),
  batch("with a batch inside of a topic of its own", { jobs: [{ batch: { mode: "chain", topic: "a", jobs: [JOB] } }] }),
  batch("with a job whose key is a number", { jobs: [{ type: "work", key: 7 }] }),
  batch("for no topic", { topic: "a b" }),
  batch("for one of the hub's topics", { topic: "$system.jobs" }),
  batch("that tells one of the hub's topics", { eventTopic: "$mine" }),
  batch("that tells by a type that is none", { then: "" }),
  batch("that tells by a number", { progress: 7 }),
  batch("that allows failures perhaps", { allowFailures: "maybe" }),
  batch("whose name is too long", { name: "x".repeat(LIMITS.BATCH_NAME_CHARS_MAX + 1) }),
  batch("that counts on nobody", { subscription: undefined, topic: "followed-by-nobody" }),
  batch("that counts on who is not there", { subscription: MARK }),
  batch("that counts on who follows something else", { subscription: "steady" }),
  bad("a list of no batches", "GET /v1/batches?limit=0", "parameter_invalid"),
  bad("a list of batches from nowhere", `GET /v1/batches?cursor=${"x".repeat(500)}`, "cursor_invalid"),
  bad("a batch that is not there", `GET /v1/batches/${NOT_THERE}`, "batch_not_found"),
  bad("a batch of a name that none has", "GET /v1/batches/steady", "batch_not_found"),
  bad("the jobs of a batch that is not there", `GET /v1/batches/${NOT_THERE}/jobs`, "batch_not_found"),
  at("jobs", { jobs: [JOB] }),
  at("cancel", {}),
  at("retry", {}),
  at("jobs/0/complete", {}),
  at("jobs/0/fail", { reason: MARK }),
  at("jobs/0/fail", {}, "batch_not_found", "steady"),
];
