/** Workers that come for their deliveries. */
import { LIMITS } from "../../core/limits.ts";
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import {
  DURATION,
  FLAG,
  listOf,
  named,
  oneOfTexts,
  orNull,
  shortText,
  shown,
  taken,
  text,
  TIME,
  whole,
} from "../../wire/openapi/shapes.ts";

const CLAIM = { id: shortText(200), lease: shortText(100) };
const words = (item: object) => listOf(item as Record<string, unknown>, { maxItems: LIMITS.ACK_ITEMS_MAX });
const outcome = (done: string) => shown({ id: text(), outcome: oneOfTexts(done, "fenced") });

export const PULL: RouteGroup = {
  name: "Pull",
  says: "Deliveries on lease, for workers that come for them.",
  routes: [
    {
      route: "POST /v1/subscriptions/:name/pull",
      id: "pullDeliveries",
      summary: "Take deliveries on lease",
      scope: "subscribe on its topics",
      body: {
        "application/json": taken(
          {},
          { max: whole(1, LIMITS.PULL_DELIVERIES_MAX), lease: DURATION, wait: DURATION },
          { examples: [{ max: 10, lease: "30s", wait: "20s" }] },
        ),
      },
      isBodyOptional: true,
      answers: [
        {
          status: 200,
          says: "What was due.",
          content: {
            "application/json": shown({
              deliveries: listOf(
                shown(
                  { id: text(), lease: text(), leaseUntil: TIME, attempt: whole(1), event: named("Event") },
                  { redrive: FLAG },
                ),
              ),
            }),
          },
        },
      ],
      problems: ["idempotency_key_invalid", "subscription_not_found", "subscription_not_pulled"],
    },
    {
      route: "POST /v1/subscriptions/:name/ack",
      id: "ackDeliveries",
      summary: "Say what became of deliveries, or ask for more time",
      scope: "subscribe on its topics",
      body: {
        "application/json": taken(
          {},
          {
            acks: words(taken(CLAIM)),
            nacks: words(taken(CLAIM, { delay: DURATION, reason: shortText(LIMITS.NACK_REASON_CHARS_MAX) })),
            extends: words(taken({ ...CLAIM, by: DURATION })),
          },
          { minProperties: 1 },
        ),
      },
      isRepeatable: true,
      answers: [
        {
          status: 200,
          says: "What became of each word, in its place.",
          content: {
            "application/json": shown({
              acks: listOf(outcome("acked")),
              nacks: listOf(outcome("nacked")),
              extends: listOf(
                shown({ id: text(), outcome: oneOfTexts("extended", "fenced"), leaseUntil: orNull(TIME) }),
              ),
            }),
          },
        },
      ],
      problems: ["subscription_not_found", "subscription_not_pulled"],
    },
  ],
};
