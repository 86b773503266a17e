/** The table of contents: what every request passes, then where each kind of request goes. */
import { Hono, type MiddlewareHandler } from "hono";
import type { HubBindings, HubContext } from "./context.ts";
import { authenticate } from "./middleware/authenticate.ts";
import { cors } from "./middleware/cors.ts";
import { countRequests } from "./middleware/count-requests.ts";
import { refuseLocalSettings } from "./middleware/local-settings.ts";
import { requestQuota } from "./middleware/request-quota.ts";
import { checkOrigin } from "./middleware/origin.ts";
import { requestId } from "./middleware/request-id.ts";
import { refuseDoubledParameters } from "./middleware/single-parameters.ts";
import { failureOf } from "./reach.ts";
import { problem } from "./respond.ts";
import { methodsOf } from "./route-methods.ts";
import { appRoutes } from "./routes/apps.ts";
import { asyncApiRoute } from "./routes/asyncapi.ts";
import { auditRoutes } from "./routes/audit.ts";
import { batchRoutes } from "./routes/batches.ts";
import { channelRoutes } from "./routes/channels.ts";
import { catalogRoutes } from "./routes/catalog.ts";
import { commandRoutes } from "./routes/commands.ts";
import { connectRoute } from "./routes/connect.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { eventRoutes } from "./routes/events.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { keyRoutes } from "./routes/keys.ts";
import { memberRoutes } from "./routes/members.ts";
import { metricsRoute } from "./routes/metrics.ts";
import { healthRoute, limitsRoute } from "./routes/operation.ts";
import { openApiRoute } from "./routes/openapi.ts";
import { pusherApiRoutes } from "./routes/pusher-api.ts";
import { pusherConnectRoute } from "./routes/pusher-connect.ts";
import { overviewRoute } from "./routes/overview.ts";
import { policyRoutes } from "./routes/policies.ts";
import { pullRoutes } from "./routes/pull.ts";
import { parkedDeliveryRoutes } from "./routes/parked-deliveries.ts";
import { replayRoutes } from "./routes/replay.ts";
import { revocationRoutes } from "./routes/revocations.ts";
import { schemaRoutes } from "./routes/schemas.ts";
import { secretRoutes } from "./routes/secrets.ts";
import { scheduledEventRoutes } from "./routes/scheduled-events.ts";
import { scheduleRoutes } from "./routes/schedules.ts";
import { seekRoutes } from "./routes/seek.ts";
import { settledRoute } from "./routes/settled.ts";
import { subscriptionRoutes } from "./routes/subscriptions.ts";
import { tokenRoutes } from "./routes/tokens.ts";
import { topicRoutes } from "./routes/topics.ts";
import { userRoutes } from "./routes/users.ts";

/** `whoAsks` is a parameter so that the bench can leave it out and see what it costs. */
export function buildApp(whoAsks: MiddlewareHandler<HubBindings>): Hono<HubBindings> {
  const hub = new Hono<HubBindings>();
  hub.use(requestId);
  hub.use(countRequests);
  hub.route("/", healthRoute);
  hub.use(refuseLocalSettings);
  // What Pusher's libraries send shows no credential but a signature.
  hub.route("/", pusherConnectRoute);
  hub.route("/", pusherApiRoutes);
  hub.route("/v1", openApiRoute);
  hub.use(cors((path) => methodsOf(hub.routes, path)));
  hub.use(whoAsks);
  hub.use(checkOrigin);
  hub.use(refuseDoubledParameters);
  hub.use(requestQuota);

  hub.route("/", metricsRoute);
  hub.route("/v1", eventRoutes);
  hub.route("/v1", connectRoute);
  hub.route("/v1", channelRoutes);
  hub.route("/v1", topicRoutes);
  hub.route("/v1", scheduledEventRoutes);
  hub.route("/v1", scheduleRoutes);
  hub.route("/v1", schemaRoutes);
  hub.route("/v1", catalogRoutes);
  hub.route("/v1", commandRoutes);
  hub.route("/v1", asyncApiRoute);
  hub.route("/v1", memberRoutes);
  hub.route("/v1", policyRoutes);
  hub.route("/v1", subscriptionRoutes);
  hub.route("/v1", settledRoute);
  hub.route("/v1", secretRoutes);
  hub.route("/v1", deadLetterRoutes);
  hub.route("/v1", pullRoutes);
  hub.route("/v1", parkedDeliveryRoutes);
  hub.route("/v1", jobRoutes);
  hub.route("/v1", batchRoutes);
  hub.route("/v1", seekRoutes);
  hub.route("/v1", replayRoutes);
  hub.route("/v1", appRoutes);
  hub.route("/v1", keyRoutes);
  hub.route("/v1", tokenRoutes);
  hub.route("/v1", revocationRoutes);
  hub.route("/v1", userRoutes);
  hub.route("/v1", auditRoutes);
  hub.route("/v1", overviewRoute);
  hub.route("/v1", limitsRoute);

  hub.notFound((c) => refuseAddress(hub, c.req.path));
  hub.onError(answerMistake);
  return hub;
}

export const app = buildApp(authenticate);

/** Names the methods that some route of the path answers, so that a wrong method is told apart from a wrong address. */
function refuseAddress(hub: Hono<HubBindings>, path: string): Response {
  const methods = methodsOf(hub.routes, path);
  if (methods.length === 0) return problem({ code: "route_not_found" });
  const refused = problem({ code: "method_not_allowed" });
  refused.headers.set("allow", methods.join(", "));
  return refused;
}

function answerMistake(error: Error, c: HubContext): Response {
  console.error(
    JSON.stringify({ stage: "request.failed", request: c.var.requestId, method: c.req.method, error: String(error) }),
  );
  const answer = problem(failureOf(error));
  answer.headers.set("x-request-id", c.var.requestId);
  return answer;
}
