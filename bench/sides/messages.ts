/** What the bench and the process that hosts one side say to each other. */

export type SideKind =
  "hub" | "bare" | "table" | "keyed" /* the hub, asked with an API key */ | "open"; /* the hub without authentication */

export type HostRequest =
  | { readonly kind: "start"; readonly side: SideKind; readonly persistTo: string }
  /** Rows that the object of a topic has inserted, updated or deleted since it woke. */
  | { readonly kind: "rows-written"; readonly topic: string }
  | { readonly kind: "stop" };

export type HostAnswer =
  | { readonly kind: "started"; readonly url: string; readonly token: string; readonly runtimePid: number }
  | { readonly kind: "rows-written"; readonly rows: number }
  | { readonly kind: "stopped" }
  | { readonly kind: "failed"; readonly reason: string };
