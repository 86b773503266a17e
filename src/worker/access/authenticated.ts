import type { Principal } from "../../core/principal.ts";
import type { AppRecord } from "../../store/apps-store.ts";

/** What a credential that holds stands for. */
export interface Authenticated {
  readonly principal: Principal;
  readonly app: AppRecord;
}
