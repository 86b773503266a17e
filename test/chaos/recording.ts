/** Attempts as targets saw them, kept until it is known what each was answered. */
import { wasTaken, type Attempt } from "../builders/delivery-recorder.ts";
import type { WireEvent } from "../harness/socket.ts";
import { linesOf, seen, type HistoryLog } from "./history.ts";

export class Recording {
  readonly #attempts: (readonly [subscription: string, event: WireEvent, id: string, attempt: Attempt])[] = [];

  note(subscription: string, event: WireEvent, id: string, attempt: Attempt): void {
    this.#attempts.push([subscription, event, id, attempt]);
  }

  tell(history: HistoryLog): void {
    const promised = new Set(linesOf(history.lines, "subscription").map(({ name }) => name));
    for (const [subscription, event, delivery, attempt] of this.#attempts) {
      if (!promised.has(subscription)) continue;
      const { turn, at, fate, wasCut } = attempt;
      const taken = wasTaken(attempt);
      const unheard = fate === "cut" || wasCut;
      history.add({ op: "attempt", subscription, delivery, turn, at, event: seen(event), taken, unheard });
    }
  }
}
