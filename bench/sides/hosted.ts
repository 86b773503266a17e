/** What a host process holds: one side of a comparison, whatever runs under it. */
import type { Tables } from "./messages.ts";

export interface Hosted {
  readonly url: string;
  /** The credential of the client's requests. */
  readonly token: string;
  /** Of the process whose memory is reported. */
  readonly runtimePid: number;
  /** Runs SQL inside the object that holds these tables; a peer has none. */
  rows(tables: Tables, sql: string): Promise<unknown[]>;
  close(): Promise<void>;
}

/** A peer is asked for no more than its address. */
export const hostedPeer = (url: string, runtimePid: number, close: () => Promise<void>): Hosted => ({
  url,
  token: "",
  runtimePid,
  rows: () => Promise.reject(new Error("a peer counts no rows")),
  close,
});
