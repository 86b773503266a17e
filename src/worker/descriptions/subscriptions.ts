/** Subscriptions: made, looked at, turned. */
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import {
  DURATION,
  FLAG,
  named,
  oneOfTexts,
  orNull,
  pageOf,
  shown,
  taken,
  text,
  TIME,
} from "../../wire/openapi/shapes.ts";
import { LIST_QUERY } from "./list-query.ts";
import { SECRET } from "./subscription-shapes.ts";

const SUBSCRIPTION = { "application/json": named("Subscription") };
const MANAGE = "manage on its topics";

export const SUBSCRIPTIONS: RouteGroup = {
  name: "Subscriptions",
  says: "Durable consumers: which events, which target, how often and how fast.",
  routes: [
    {
      route: "GET /v1/subscriptions",
      id: "listSubscriptions",
      summary: "List the subscriptions that the credential may manage",
      scope: MANAGE,
      query: LIST_QUERY,
      answers: [{ status: 200, says: "By name.", content: { "application/json": pageOf(named("SubscriptionFacts")) } }],
      problems: ["cursor_invalid"],
    },
    {
      route: "GET /v1/subscriptions/:name",
      id: "getSubscription",
      summary: "Read a subscription with its state and its counts",
      scope: MANAGE,
      answers: [{ status: 200, says: "The subscription.", content: SUBSCRIPTION }],
      problems: ["subscription_not_found"],
    },
    {
      route: "PUT /v1/subscriptions/:name",
      id: "putSubscription",
      summary: "Make a subscription or change its definition",
      details: "A secret that the hub mints is shown in the answer, this once.",
      scope: MANAGE,
      body: { "application/json": named("SubscriptionDefinition") },
      isRepeatable: true,
      answers: [
        { status: 200, says: "Changed, or as it was.", content: SUBSCRIPTION },
        { status: 201, says: "Made.", content: SUBSCRIPTION },
        { status: 202, says: "Made or changed; the rest of very many topics follows.", content: SUBSCRIPTION },
      ],
      problems: [
        "filter_invalid",
        "handshake_refused",
        "lift_unavailable",
        "listener_not_found",
        "schema_not_found",
        "subscription_invalid",
        "target_address_refused",
        "worker_not_found",
      ],
    },
    {
      route: "DELETE /v1/subscriptions/:name",
      id: "deleteSubscription",
      summary: "End a subscription and its work",
      scope: MANAGE,
      isRepeatable: true,
      answers: [{ status: 204, says: "Gone." }],
      problems: ["subscription_not_found"],
    },
    {
      route: "POST /v1/subscriptions/:name/pause",
      id: "pauseSubscription",
      summary: "Stop deliveries; nothing is lost within retention",
      scope: MANAGE,
      isRepeatable: true,
      answers: [{ status: 200, says: "Paused.", content: SUBSCRIPTION }],
      problems: ["subscription_not_found"],
    },
    {
      route: "POST /v1/subscriptions/:name/resume",
      id: "resumeSubscription",
      summary: "Go on with deliveries",
      scope: MANAGE,
      isRepeatable: true,
      answers: [{ status: 200, says: "Active.", content: SUBSCRIPTION }],
      problems: ["subscription_not_found"],
    },
    {
      route: "POST /v1/subscriptions/:name/secret/rotate",
      id: "rotateSecret",
      summary: "Replace a webhook's secret; the old one signs beside it for a while",
      details:
        "For as long as `overlap` says, a day without it; a later rotation leaves it that time. `0s` ends all that " +
        "were before. Five secrets sign at once; while they do, another rotation is refused.",
      scope: MANAGE,
      body: { "application/json": taken({}, { overlap: DURATION, secret: SECRET }) },
      isBodyOptional: true,
      isRepeatable: true,
      answers: [
        {
          status: 200,
          says: "What was made, this once.",
          content: {
            "application/json": shown({ previousUntil: orNull(TIME) }, { secret: text(), publicKey: text() }),
          },
        },
      ],
      problems: ["secret_not_held", "subscription_invalid", "subscription_not_found", "too_many_secrets"],
    },
    {
      route: "GET /v1/subscriptions/:name/settled",
      id: "getSettled",
      summary: "Ask whether it has settled everything up to a cursor, and wait for that",
      details: "By the cursor of a receipt a reader of what the subscription feeds sees its own write there.",
      scope: "subscribe on its topics",
      query: {
        topic: { says: "Of which the cursor is.", shape: text(), isRequired: true },
        minCursor: { says: "Of a receipt, a page or an event.", shape: text(), isRequired: true },
        wait: { says: "How long the answer may wait for it: `0s` to `30s`.", shape: DURATION },
      },
      answers: [
        {
          status: 200,
          says: "Whether it has; `cursor` is how far it has come.",
          content: { "application/json": shown({ reached: FLAG, cursor: text() }) },
        },
      ],
      problems: ["cursor_invalid", "subscription_not_found", "topic_name_invalid", "topic_not_found"],
    },
    {
      route: "GET /v1/subscriptions/:name/deliveries",
      id: "listDeliveries",
      summary: "List deliveries with their attempts",
      scope: MANAGE,
      query: {
        ...LIST_QUERY,
        state: { says: "`owed` without it.", shape: oneOfTexts("owed", "in_flight", "delivered", "dead") },
        event: { says: "The deliveries of one event, by its id.", shape: text() },
      },
      answers: [{ status: 200, says: "In order.", content: { "application/json": pageOf(named("Delivery")) } }],
      problems: ["cursor_invalid", "subscription_not_found"],
    },
  ],
};
