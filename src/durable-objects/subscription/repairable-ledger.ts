/** What operators ask of a subscription's object: what is owed, what is dead, and that it be delivered or given up. */
import { ok, type Result } from "../../core/result.ts";
import type { DeadLetter, DeadLetterChoice, DeliveryReport, ReportPage } from "../rpc.ts";
import { discardDeadLetters, redriveDeadLetters } from "./dead-letters.ts";
import { findDeliveries } from "./find-deliveries.ts";
import { LedgerObject } from "./ledger-object.ts";
import { listDead, listDeadLetters, listDelivered, listDeliveries } from "./list-deliveries.ts";
import { hastenParked, isParked, skipParked } from "./parked.ts";

export abstract class RepairableLedger extends LedgerObject {
  async deliveries(
    state: DeliveryReport["state"],
    cursor: string | null,
    limit: number,
  ): Promise<ReportPage<DeliveryReport>> {
    if (state === "dead") return listDead(this.ledger, cursor, limit);
    if (state === "delivered") return listDelivered(this.ledger, cursor, limit);
    return listDeliveries(this.ledger, state, cursor, limit);
  }

  deliveriesOf(eventId: string): Promise<readonly DeliveryReport[]> {
    return findDeliveries(this.ledger, this.env, eventId);
  }

  async deadLetters(
    cursor: string | null,
    limit: number,
    reason: string | null = null,
  ): Promise<ReportPage<DeadLetter>> {
    return listDeadLetters(this.ledger, cursor, limit, reason);
  }

  async redrive(choice: DeadLetterChoice, dryRun: boolean): Promise<Result<number>> {
    const matched = await redriveDeadLetters(this.ledger, choice, dryRun, Date.now());
    await this.moveOn();
    return ok(matched);
  }

  async discard(choice: DeadLetterChoice, dryRun: boolean): Promise<Result<number>> {
    return ok(await discardDeadLetters(this.ledger, choice, dryRun));
  }

  async isParked(id: string): Promise<boolean> {
    return isParked(this.ledger, id);
  }

  async skip(id: string): Promise<Result<null>> {
    const answer = skipParked(this.ledger, id);
    await this.moveOn();
    return answer;
  }

  async retry(id: string): Promise<Result<null>> {
    const answer = hastenParked(this.ledger, id, Date.now());
    await this.moveOn();
    return answer;
  }
}
