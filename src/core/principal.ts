/** Who a request is, and the one place that decides what it may do. Plain data: it sleeps with sockets. */
import type { Quotas } from "./quotas.ts";
import {
  allowsSubscription,
  allowsTopic,
  coversScope,
  formatScope,
  includes,
  type Action,
  type Scope,
  type SubscriptionAction,
} from "./scope.ts";

export type Principal = RootPrincipal | KeyPrincipal | TokenPrincipal | PusherPrincipal;

interface InApp {
  /** The app's minted id, which names objects and rows. */
  readonly app: string;
  /** The app's name, which people read: the default `source` of its events is `/apps/<name>`. */
  readonly appName: string;
  readonly quotas: Quotas;
}

/** Holds the root key: every app, everything. */
export interface RootPrincipal extends InApp {
  readonly kind: "root";
}

export interface KeyPrincipal extends InApp {
  readonly kind: "key";
  /** The key's public id. */
  readonly key: string;
  /** A mark of the secret that was shown: it tells it from those before and after it, and is good for nothing else. */
  readonly secret: string;
  readonly keyQuotas: Quotas;
  readonly scopes: readonly Scope[];
  /** Milliseconds; null: never. */
  readonly expiresAt: number | null;
}

/** A browser with a JWT. It may do what both the token and the key behind it allow. */
export interface TokenPrincipal extends InApp {
  readonly kind: "token";
  /** The id of the key that signed it; `root` where the hub signed for the root key. */
  readonly key: string;
  readonly keyQuotas: Quotas;
  /** `jti`. */
  readonly token: string;
  readonly user: User | null;
  readonly scopes: readonly Scope[];
  readonly keyScopes: readonly Scope[];
  /** Milliseconds: the earliest time at which it may have been issued, whatever the clock of who signed it. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/**
 * A client that speaks Pusher's protocol. It has shown a key's public id and no secret, so it may follow what is public
 * within the key's scopes; each other channel, and who it is, must be signed.
 */
export interface PusherPrincipal extends InApp {
  readonly kind: "pusher";
  readonly key: string;
  /** A mark of the key's secret when the socket came: a rotation ends it like those that showed that secret. */
  readonly secret: string;
  readonly keyQuotas: Quotas;
  /** Only what clients may do at all. */
  readonly scopes: readonly Scope[];
  /** Null: it has not signed in. */
  readonly user: User | null;
  /** When its socket came, milliseconds: what signs it in is signed for that connection, and so after it. */
  readonly openedAt: number;
  /** Milliseconds; null: never. */
  readonly expiresAt: number | null;
}

export interface User {
  readonly id: string;
  /** JSON text, shown to other members of a presence channel; null: none. */
  readonly data: string | null;
}

/** The key behind a token that the hub signed for the root key. */
export const ROOT_TOKEN_KEY = "root";

/** Scope is judged before existence, so that a refusal tells nothing about what there is. */
export const allows = (principal: Principal, action: Action, topic: string): boolean =>
  scopeLists(principal).every((scopes) => allowsTopic(scopes, action, topic));

/** The contract of an event type is guarded as if it were a topic of the hub's own. */
const contractOf = (type: string): string => `$schemas.${type}`;

export const mayReadSchema = (principal: Principal, type: string): boolean =>
  allows(principal, "history", contractOf(type)) || mayManageSchema(principal, type);

export const mayManageSchema = (principal: Principal, type: string): boolean =>
  allows(principal, "manage", contractOf(type));

/** Likewise a command: `publish:$commands.place-order` lets send it, and no event be published. */
const doorOf = (command: string): string => `$commands.${command}`;

export const maySendCommand = (principal: Principal, name: string): boolean =>
  allows(principal, "publish", doorOf(name));

export const mayManageCommand = (principal: Principal, name: string): boolean =>
  allows(principal, "manage", doorOf(name));

/** Whether it may make, change, repair or pull from a subscription of these topic patterns. */
export const allowsOnSubscription = (
  principal: Principal,
  action: SubscriptionAction,
  topics: readonly string[],
): boolean => scopeLists(principal).every((scopes) => allowsSubscription(scopes, action, topics));

/** Whether some subscription could be within its scopes: who has none at all is told so before any is looked up. */
export const mayTouchSubscriptions = (principal: Principal, action: SubscriptionAction): boolean =>
  scopeLists(principal).every((scopes) => scopes.some((scope) => scope.action === "admin" || scope.action === action));

/** Whether some topic could be within its scopes for that: who has none at all is told so before any is looked up. */
export const mayAct = (principal: Principal, action: Action): boolean =>
  scopeLists(principal).every((scopes) =>
    scopes.some((scope) => scope.action === "admin" || includes(scope.action, action)),
  );

/** Whether it may do that on every topic but the hub's own. */
export const allowsEverywhere = (principal: Principal, action: Action): boolean =>
  scopeLists(principal).every((scopes) => coversScope(scopes, { action, pattern: "**" }));

/** Who the principal is to other users; null: nobody in particular. */
export const userOf = (principal: Principal): User | null =>
  principal.kind === "token" || principal.kind === "pusher" ? principal.user : null;

/** Keys, tokens of others, revocations and the audit log of its app. */
export const isAdmin = (principal: Principal): boolean =>
  scopeLists(principal).every((scopes) => scopes.some(({ action }) => action === "admin"));

/** Every one of them must allow what is done. */
function scopeLists(principal: Principal): readonly (readonly Scope[])[] {
  switch (principal.kind) {
    case "root":
      return [];
    case "key":
    case "pusher":
      return [principal.scopes];
    case "token":
      return [principal.scopes, principal.keyScopes];
  }
}

/**
 * Whom an idempotency key belongs to, and who stands in the audit log. A user's next token is the same principal; of
 * tokens for nobody each is its own.
 */
export function principalKey(principal: Principal): string {
  switch (principal.kind) {
    case "root":
      return "root";
    case "key":
    case "pusher":
      return `key:${principal.key}`;
    case "token":
      return principal.user === null
        ? `token:${principal.key}:${principal.token}`
        : `user:${principal.key}:${principal.user.id}`;
  }
}

/** All that it is allowed, as one text: equal for principals that may do the same. Null: everything. */
export function scopesText(principal: Principal): string | null {
  const lists = scopeLists(principal);
  return lists.length === 0 ? null : JSON.stringify(lists.map((scopes) => scopes.map(formatScope).toSorted()));
}
