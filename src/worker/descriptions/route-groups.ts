/** Every route that the hub answers at: a test holds this table against those that are registered. */
import type { RouteGroup } from "../../wire/openapi/route-description.ts";
import { shown, text, FLAG, whole, listOf, oneOfTexts, type Shapes } from "../../wire/openapi/shapes.ts";
import { ACCESS, ACCESS_SHAPES } from "./access.ts";
import { BATCH_SHAPES, BATCHES } from "./batches.ts";
import { CATALOG, CATALOG_SHAPES } from "./catalog.ts";
import { COMMAND_SHAPES, COMMANDS } from "./commands.ts";
import { EVENT_SHAPES } from "./event-shapes.ts";
import { EVENTS } from "./events.ts";
import { LIVE, LIVE_SHAPES } from "./live.ts";
import { OPERATION, OPERATION_SHAPES } from "./operation.ts";
import { PULL } from "./pull.ts";
import { PUSHER } from "./pusher.ts";
import { REPAIR } from "./repair.ts";
import { SCHEMA_SHAPES, SCHEMAS } from "./schemas.ts";
import { SUBSCRIPTION_SHAPES } from "./subscription-shapes.ts";
import { SUBSCRIPTIONS } from "./subscriptions.ts";
import { TIME_SHAPES, TIMED } from "./time.ts";
import { TOPIC_SHAPES, TOPICS } from "./topics.ts";

/** In the order in which a reader should meet them. */
export const ROUTE_GROUPS: readonly RouteGroup[] = [
  EVENTS,
  TOPICS,
  TIMED,
  SCHEMAS,
  COMMANDS,
  CATALOG,
  SUBSCRIPTIONS,
  REPAIR,
  PULL,
  BATCHES,
  LIVE,
  ACCESS,
  OPERATION,
  PUSHER,
];

/** What the groups name. */
export const NAMED_SHAPES: Shapes = {
  Problem: shown(
    {
      type: text({ format: "uri" }),
      title: text(),
      status: whole(400, 599),
      code: text(),
      retryable: FLAG,
      effect: oneOfTexts("none", "unknown"),
    },
    {
      detail: text(),
      limit: whole(),
      actual: whole(),
      errors: listOf(shown({ pointer: text(), detail: text() })),
    },
    { description: "Problem details (RFC 9457); `docs/errors.md` lists every code." },
  ),
  ...EVENT_SHAPES,
  ...TOPIC_SHAPES,
  ...TIME_SHAPES,
  ...SCHEMA_SHAPES,
  ...COMMAND_SHAPES,
  ...CATALOG_SHAPES,
  ...SUBSCRIPTION_SHAPES,
  ...BATCH_SHAPES,
  ...LIVE_SHAPES,
  ...ACCESS_SHAPES,
  ...OPERATION_SHAPES,
};
