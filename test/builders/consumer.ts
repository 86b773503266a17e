/** A consumer beside the hub that does what each event tells it to; every call is a line of its log. */
import { defineConsumer, type DeliveryOutcome } from "../../src/client/consumer.ts";

/** The `data` of an event. */
export interface Told {
  /** What it answers for the delivery, beside its id; by attempt, the last one from then on. Absent: nothing. */
  readonly answers?: readonly object[];
  readonly throws?: string;
  readonly hangs?: boolean;
}

export interface Called {
  readonly stage: "consumer.called";
  readonly app: string;
  readonly subscription: string;
  readonly id: string;
  readonly attempt: number;
  readonly redrive: boolean;
  /** How many came in its call. */
  readonly together: number;
  readonly event: { readonly id: string; readonly type: string; readonly offset: number; readonly data: Told };
}

export default defineConsumer<Told>({
  async deliver(deliveries, { app, subscription }) {
    for (const { id, attempt, redrive, event } of deliveries)
      console.log(
        JSON.stringify({
          stage: "consumer.called",
          app,
          subscription,
          id,
          attempt,
          redrive,
          event,
          together: deliveries.length,
        }),
      );
    const told = deliveries.find(({ event }) => event.data?.throws !== undefined);
    if (told !== undefined) throw new Error(told.event.data!.throws);
    if (deliveries.some(({ event }) => event.data?.hangs)) await scheduler.wait(30_000);
    return deliveries.flatMap(({ id, attempt, event }) => {
      const answers = event.data?.answers ?? [];
      const answer = answers[Math.min(attempt, answers.length) - 1];
      return answer === undefined ? [] : [{ id, ...answer } as DeliveryOutcome];
    });
  },
});
