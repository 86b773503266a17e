/** The table of contents: what every request passes, then where each kind of request goes. */
import { Hono } from "hono";
import type { Failure } from "../core/errors.ts";
import type { HubBindings } from "./context.ts";
import { authenticate } from "./middleware/authenticate.ts";
import { requestId } from "./middleware/request-id.ts";
import { problem } from "./respond.ts";
import { connectRoute } from "./routes/connect.ts";
import { deadLetterRoutes } from "./routes/dead-letters.ts";
import { eventRoutes } from "./routes/events.ts";
import { healthRoute, limitsRoute } from "./routes/operation.ts";
import { subscriptionRoutes } from "./routes/subscriptions.ts";
import { topicRoutes } from "./routes/topics.ts";

export const app = new Hono<HubBindings>();

app.use(requestId);
app.route("/", healthRoute);
app.use(authenticate);

app.route("/v1", eventRoutes);
app.route("/v1", connectRoute);
app.route("/v1", topicRoutes);
app.route("/v1", subscriptionRoutes);
app.route("/v1", deadLetterRoutes);
app.route("/v1", limitsRoute);

/** Methods that some route of that path answers, so that a wrong method is told apart from a wrong address. */
app.notFound((c) => {
  const methods = new Set(
    app.routes
      .filter(({ method, path }) => method !== "ALL" && matchesPath(path, c.req.path))
      .map(({ method }) => method),
  );
  if (methods.size === 0) return problem({ code: "route_not_found" });
  if (methods.has("GET")) methods.add("HEAD"); // Hono answers it with what GET would, without the body.
  const refused = problem({ code: "method_not_allowed" });
  refused.headers.set("allow", [...methods].join(", "));
  return refused;
});

app.onError((error, c) => {
  console.error(
    JSON.stringify({ stage: "request.failed", request: c.var.requestId, method: c.req.method, error: String(error) }),
  );
  const answer = problem(failureOf(error));
  answer.headers.set("x-request-id", c.var.requestId);
  return answer;
});

function failureOf(error: Error): Failure {
  if ((error as { overloaded?: boolean }).overloaded === true) return { code: "hub_overloaded" };
  // Between a first deploy and its migration the tables are not there.
  if (error.message.includes("no such table"))
    return { code: "not_configured", detail: "The database is not migrated." };
  return { code: "internal_error" };
}

function matchesPath(pattern: string, path: string): boolean {
  const expected = pattern.split("/");
  const given = path.split("/");
  return (
    expected.length === given.length &&
    expected.every((word, index) => (word.startsWith(":") ? given[index] !== "" : word === given[index]))
  );
}
