/**
 * What a credential may do: an action on the topics that a pattern selects, written `publish:order.*`. `admin` stands
 * alone and allows everything in its app. Whatever no scope names is denied.
 */
import { coversTopicPattern, isTopicPattern, matchesTopicPattern } from "./names.ts";

/**
 * `subscribe` follows and reads; `history` only reads. `manage` makes and ends topics and subscriptions, `redrive`
 * repairs what subscriptions could not deliver.
 */
export type Action = "publish" | "subscribe" | "presence" | "history" | "manage" | "redrive";

/** What may be done with a subscription: `subscribe` on each of its patterns lets workers pull from it. */
export type SubscriptionAction = Extract<Action, "manage" | "redrive" | "subscribe">;

export type Scope = { readonly action: "admin" } | { readonly action: Action; readonly pattern: string };

const ACTIONS: ReadonlySet<string> = new Set<Action>([
  "publish",
  "subscribe",
  "presence",
  "history",
  "manage",
  "redrive",
]);

/** `manage:subscriptions` and `redrive:subscriptions` mean subscriptions of any topics, and no topic. */
const ALL_SUBSCRIPTIONS = "subscriptions";

export function parseScope(text: string): Scope | null {
  if (text === "admin") return { action: "admin" };
  const colon = text.indexOf(":");
  const [action, pattern] = [text.slice(0, colon), text.slice(colon + 1)];
  return colon > 0 && ACTIONS.has(action) && isTopicPattern(pattern) ? { action: action as Action, pattern } : null;
}

export const formatScope = (scope: Scope): string =>
  scope.action === "admin" ? "admin" : `${scope.action}:${scope.pattern}`;

const isOfSubscriptions = ({ action, pattern }: Exclude<Scope, { action: "admin" }>): boolean =>
  pattern === ALL_SUBSCRIPTIONS && (action === "manage" || action === "redrive");

/** Who may follow a topic may read it: a cursor can name any place, so one without the other would be a pretence. */
export const includes = (held: Action, asked: Action): boolean =>
  held === asked || (held === "subscribe" && asked === "history");

export function allowsTopic(scopes: readonly Scope[], action: Action, topic: string): boolean {
  return scopes.some(
    (scope) =>
      scope.action === "admin" ||
      (includes(scope.action, action) && !isOfSubscriptions(scope) && matchesTopicPattern(scope.pattern, topic)),
  );
}

/** A subscription reads all that its patterns select, so each of them must lie within a scope. */
export function allowsSubscription(
  scopes: readonly Scope[],
  action: SubscriptionAction,
  topics: readonly string[],
): boolean {
  const fits = (scope: Scope, topic: string): boolean =>
    scope.action === "admin" ||
    (scope.action === action &&
      (isOfSubscriptions(scope) ? !topic.startsWith("$") : coversTopicPattern(scope.pattern, topic)));
  return topics.every((topic) => scopes.some((scope) => fits(scope, topic)));
}

/** Whether someone who holds `scopes` may hand this one on. */
export function coversScope(scopes: readonly Scope[], asked: Scope): boolean {
  return scopes.some((scope) => {
    if (scope.action === "admin") return true;
    if (asked.action === "admin" || !includes(scope.action, asked.action)) return false;
    if (isOfSubscriptions(scope) || isOfSubscriptions(asked)) return scope.pattern === asked.pattern;
    return coversTopicPattern(scope.pattern, asked.pattern);
  });
}
