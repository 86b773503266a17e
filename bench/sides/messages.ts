/** What the bench and the process that hosts one side say to each other. */

export type SideKind =
  | "hub"
  | "bare"
  | "table"
  /** The bare one, with as many requests to a webhook at once as the platform gives one invocation. */
  | "six"
  /** The bare one, whose requests to a webhook say as much as the hub's, signed. */
  | "signed"
  /** The hub's log alone, driven from inside its runtime. */
  | "engine"
  /** The hub at its own socket, without what a local run puts before it for the platform. */
  | "direct"
  /** The hub, asked with an API key. */
  | "keyed"
  /** The hub without authentication. */
  | "open"
  /** The hub, holding events to a schema. */
  | "enforced"
  /** The hub, whose sockets are spread over several objects. */
  | "tree"
  | PeerKind;

/** What others would use instead (bench/peers). */
export type PeerKind = "durable-streams" | "partyserver" | "socket-io" | "redis-always" | "redis-everysec" | "nats";

/** Of which object: the log of a topic, or the ledger of a subscription by name. */
export type Tables =
  | { readonly of: "log"; readonly topic: string }
  | { readonly of: "ledger"; readonly topic: string; readonly subscription: string };

export type HostRequest =
  | { readonly kind: "start"; readonly side: SideKind; readonly persistTo: string }
  /** Rows that an object has inserted, updated or deleted since it woke. */
  | { readonly kind: "rows-written"; readonly tables: Tables }
  | { readonly kind: "stop" };

export type HostAnswer =
  | { readonly kind: "started"; readonly url: string; readonly token: string; readonly runtimePid: number }
  | { readonly kind: "rows-written"; readonly rows: number }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly reason: string };
