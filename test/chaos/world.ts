/** What workloads share: a way to the hub, targets, and the history that they write. */
import type { DeliveryRecorder } from "../builders/delivery-recorder.ts";
import type { Request } from "../builders/load.ts";
import type { HubAccess } from "../crash/hub-access.ts";
import type { HistoryLog } from "./history.ts";

export interface World {
  readonly seed: number;
  /** Through the network that can be cut, with the root key. Rejects while nobody answers. */
  readonly request: Request;
  readonly access: HubAccess;
  /** Where sockets connect to, `ws://…`, without the token. */
  readonly socketUrl: string;
  readonly recorder: DeliveryRecorder;
  readonly history: HistoryLog;
}

/** Something that uses the hub as its users do, all the while, whatever happens to it. */
export interface Workload {
  /** While all is well. */
  prepare(): Promise<void>;
  begin(): void;
  /** Begins nothing new; resolves when what it had begun is answered. */
  end(): Promise<void>;
  /** What has not arrived yet; empty when all has. Rejects while the hub cannot be asked. */
  missing(): Promise<readonly string[]>;
  /** Writes down what it knows now that all is over. */
  tell(): Promise<void>;
}
