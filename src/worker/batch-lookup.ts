import { isBatchId } from "../core/job-batch.ts";
import { allows, mayAct } from "../core/principal.ts";
import { fail, ok, type Result } from "../core/result.ts";
import type { Action } from "../core/scope.ts";
import type { BatchRpc } from "../durable-objects/rpc/batch.ts";
import { BatchesStore, type BatchRow } from "../store/batches-store.ts";
import { batch } from "../stubs.ts";
import type { HubContext } from "./context.ts";

export interface FoundBatch {
  readonly row: BatchRow;
  /** A new stub for each call: one is broken after an exception. */
  object(): DurableObjectStub<BatchRpc>;
}

/**
 * The batch that the path names. It is guarded as the topic of its jobs is: any of the actions will do. What lies
 * outside the credential's scopes is not there for it, and no object is touched for it.
 */
export async function findBatch(c: HubContext, actions: readonly Action[]): Promise<Result<FoundBatch>> {
  const { principal } = c.var;
  const id = c.req.param("id")!;
  if (!actions.some((action) => mayAct(principal, action))) return fail("scope_missing");
  if (!isBatchId(id)) return fail("batch_not_found");
  const row = await new BatchesStore(c.env.DB).find(principal.app, id);
  const isTheirs = row !== null && actions.some((action) => allows(principal, action, row.topic));
  return isTheirs ? ok({ row, object: () => batch(c.env, principal.app, id) }) : fail("batch_not_found");
}
