/** What isolates and scrapes say to the objects that keep counts. */
import type { Sample } from "../../core/metrics.ts";

export interface MetricTallyRpc extends Rpc.DurableObjectBranded {
  /** Apps by their ids. */
  add(samples: readonly Sample[]): Promise<void>;
  /** The empty string stands for what is counted of the hub as a whole. */
  read(apps: readonly string[]): Promise<readonly Sample[]>;
}
