/** Bad requests at the door of schedules; each names one thing that is wrong. */
import type { ErrorCode } from "../../src/core/errors.ts";
import { bad, MARK, type BadRequest } from "./refusals.ts";

const JSON_TYPE = { "content-type": "application/json" };
const GOOD = { cron: "0 8 * * *", topic: "steady", event: { type: "t" } };

const schedule = (more: object | string, code: ErrorCode = "schedule_invalid", name = "new-schedule"): BadRequest => {
  const body = typeof more === "string" ? more : JSON.stringify({ ...GOOD, ...more });
  const what = typeof more === "string" ? more : JSON.stringify(more);
  return bad(`the schedule ${what.slice(0, 60)}`, `PUT /v1/schedules/${name}`, code, JSON_TYPE, body);
};

export const BAD_SCHEDULES: readonly BadRequest[] = [
  schedule("{", "json_invalid"),
  schedule("[]"),
  schedule("{}"),
  schedule({ unheardOf: MARK }),
  ...["", "x", "* * * *", "* * * * * * *", "60 * * * *", "*/0 * * * *", "@daily", "@reboot", "2026-12-24T00:00:00"].map(
    (cron) => schedule({ cron }),
  ),
  schedule({ cron: `${MARK} * * * *` }),
  schedule({ cron: "0 0 30 2 *" }),
  schedule({ cron: "* ".repeat(200) }),
  schedule({ cron: 7 }),
  ...["Mars/Olympus", "+01:00", "", "../etc", 7].map((timeZone) => schedule({ timeZone })),
  schedule({ topic: "a b" }),
  schedule({ topic: "$system.operations" }),
  schedule({ topic: null }),
  schedule({ event: {} }),
  schedule({ event: [] }),
  schedule({ event: { type: "t", id: "mine" } }),
  schedule({ event: { type: "t", time: "2026-01-01T00:00:00Z" } }),
  schedule({ event: { type: "t", deliverAt: "2026-01-01T00:00:00Z" } }),
  schedule({ event: { type: "t", key: "k", expectedKeyVersion: 1 } }),
  schedule({ event: { type: "t", unheardOf: MARK } }),
  schedule({ startAt: "soon" }),
  schedule({ startAt: "2027-01-02T00:00:00Z", endAt: "2027-01-01T00:00:00Z" }),
  schedule({ endAt: "2020-01-01T00:00:00Z" }),
  schedule({ paused: "yes" }),
  schedule({ catchUp: "some" }),
  schedule({}, "schedule_invalid", "a%20b"),
  bad("a schedule that is not there", `GET /v1/schedules/${MARK}`, "schedule_not_found"),
  bad("an end of a schedule that is not there", `DELETE /v1/schedules/${MARK}`, "schedule_not_found"),
  bad("a list of no schedules", "GET /v1/schedules?limit=0", "parameter_invalid"),
];
