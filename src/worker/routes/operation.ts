/** What an operator or a machine asks of the hub itself. */
import { Hono } from "hono";
import { LIMITS } from "../../core/limits.ts";
import type { HubBindings } from "../context.ts";
import { json } from "../respond.ts";

/** Answers without a credential and before the hub is configured: it says that the Worker runs, and no more. */
export const healthRoute = new Hono<HubBindings>().get("/healthz", () => json({ status: "ok" }));

export const limitsRoute = new Hono<HubBindings>().get("/limits", () => json(LIMITS));
