/** Puts what the ledger does by itself into its outbox, for the app's topic of operations, and into the log. */
import { announceOperation, announcesOperations, type OperationNews } from "../../core/operation-event.ts";
import { logStage } from "../../observability/log.ts";
import { count } from "../../observability/meter.ts";
import type { Ledger } from "./ledger.ts";

/** With the change itself, in one turn or one transaction. */
export function noteOperation(ledger: Ledger, news: OperationNews): void {
  const { definition, app, subscriptionId: subscription } = ledger;
  const { kind, ...told } = news;
  logStage(kind, { app, subscription, ...told });
  count("tidings_operations_total", { app, kind });
  if (definition === null || !announcesOperations(definition.topics)) return;
  ledger.operations.insert(announceOperation(news, definition.name, crypto.randomUUID()));
}
