/** What middleware leaves for routes. */
import type { Context } from "hono";
import type { Config } from "../config.ts";
import type { Principal } from "../core/principal.ts";
import type { Result } from "../core/result.ts";
import type { RequestTrace } from "../core/trace-context.ts";
import type { Env } from "../env.ts";
import type { AppRecord } from "../store/apps-store.ts";
import type { Authenticated } from "./access/authenticated.ts";

/** In the way of every request they are read by `c.get(name)`: `c.var` copies all of them for each look. */
export interface HubVariables {
  requestId: string;
  config: Config;
  principal: Principal;
  /** The app of the credential: its origins and quotas. */
  app: AppRecord;
  /** Judges the request's credential once more: a long stream may outlive it. */
  authenticateAgain: () => Promise<Result<Authenticated>>;
  /** When the request came in, milliseconds: a subscription that starts at `latest` starts here. */
  receivedAt: number;
  /** Null: the request belongs to none; undefined: nobody has asked. */
  trace?: RequestTrace | null;
  /** The body of a mutating request, read once and within its limit. */
  body: string;
  /** Set by a route whose answer shows a secret: such an answer is never stored. */
  showsSecret: boolean;
}

export interface HubBindings {
  Bindings: Env;
  Variables: HubVariables;
}

export type HubContext = Context<HubBindings>;
