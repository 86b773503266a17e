/**
 * Who a request is. This release knows the root key only; keys and browser tokens become further kinds here, and
 * `allows` is the one place that decides.
 */
export interface Principal {
  readonly kind: "root";
  /** The app's minted id, which names objects and rows. */
  readonly app: string;
  /** The app's name, which people read: the default `source` of its events is `/apps/<name>`. */
  readonly appName: string;
}

export type Action = "publish" | "subscribe" | "presence" | "history" | "manage" | "redrive" | "admin";

/** Scope is judged before existence, so that a refusal tells nothing about what there is. */
export function allows(principal: Principal, _action: Action, _topic: string): boolean {
  return principal.kind === "root";
}

/** Whom an idempotency key belongs to. */
export const principalKey = (principal: Principal): string => principal.kind;
