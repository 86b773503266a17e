/** Which events may go now and which must wait behind others of their lane: decided event by event, in order. */
import { LIMITS } from "./limits.ts";
import type { Ordering } from "./subscription.ts";

/** What one source's lanes look like before the first event is judged. */
export interface LaneRules {
  readonly ordering: Ordering;
  /** Something of the lane is under way, has failed, or waits: whatever comes now comes after it. */
  isBusy(lane: string): boolean;
  /** How many more may wait behind others. */
  readonly waitingRoom: number;
}

export type Admission =
  | "goes"
  | "waits"
  /** There is no room for it, and so for nothing after it. */
  | "stops";

export class LaneAdmission {
  #room: number;
  #waitingRoom: number;
  readonly #rules: LaneRules | null;
  /** How many of each lane go; they go together. */
  readonly #going = new Map<string, number>();
  readonly #blocked = new Set<string>();

  /** `rules` null: there are no lanes. */
  constructor(room: number, rules: LaneRules | null) {
    this.#room = room;
    this.#waitingRoom = rules?.waitingRoom ?? 0;
    this.#rules = rules;
  }

  admit(lane: string | null): Admission {
    if (lane !== null && this.#isBlocked(lane)) {
      if (this.#waitingRoom <= 0) return "stops";
      this.#waitingRoom -= 1;
      return "waits";
    }
    if (this.#room <= 0) return "stops";
    this.#room -= 1;
    if (lane !== null) this.#going.set(lane, (this.#going.get(lane) ?? 0) + 1);
    return "goes";
  }

  /** What goes of one lane goes in one dispatch. */
  #isBlocked(lane: string): boolean {
    if (this.#blocked.has(lane)) return true;
    const going = this.#going.get(lane) ?? 0;
    const isBlocked = going > 0 ? going >= LIMITS.DISPATCH_DELIVERIES_MAX : this.#rules!.isBusy(lane);
    if (isBlocked) this.#blocked.add(lane);
    return isBlocked;
  }
}
