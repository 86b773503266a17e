import { expect, it } from "vitest";
import { announceDeadLetter, announcesDeaths, type DeadLetterNews } from "../../src/core/dead-letter-event.ts";
import { LIMITS } from "../../src/core/limits.ts";

const NEWS: DeadLetterNews = {
  subscription: "shelf",
  delivery: "msg_abc_1_7",
  topic: "order.created",
  partition: 0,
  offset: 7,
  reason: "refused_permanently",
  fingerprint: "00000000000000",
  redrives: 1,
  attempts: [{ at: "2026-01-01T00:00:00.000Z", durationMs: 3, status: 422, error: null, excerpt: "no" }],
};

it("[DLQ-11] a death is told with the number of the death in its id, and with the event word for word", () => {
  const { full, bare } = announceDeadLetter(NEWS, '{"id":"e","data":{"big":12345678901234567890}}');
  expect(full).toContain('"event":{"id":"e","data":{"big":12345678901234567890}}');
  const { attempts, ...told } = NEWS;
  expect(JSON.parse(bare)).toEqual({
    type: "tidings.dead_letter.created",
    id: "msg_abc_1_7_2",
    source: "/subscriptions/shelf",
    subject: "shelf",
    data: { ...told, attempts: 1, lastAttempt: attempts[0] },
  });
});

it("[DLQ-11] an event as large as may be is left out, so that its death can be told", () => {
  const line = JSON.stringify({ text: "é".repeat(LIMITS.EVENT_BYTES_MAX / 2) });
  const { full, bare } = announceDeadLetter(NEWS, line);
  expect(full).toBe(bare);
});

it("[DLQ-12] whoever follows the topic of dead letters announces none of its own", () => {
  expect(announcesDeaths(["order.*", "**"])).toBe(true);
  for (const pattern of ["$dead-letters", "$**", "$*", "$dead-*"]) expect(announcesDeaths(["a", pattern])).toBe(false);
});
