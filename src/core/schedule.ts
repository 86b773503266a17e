/** Events for later: how far ahead one may be scheduled, and whether its time has come. */
import type { FieldError } from "./errors.ts";
import type { EventDraft } from "./event.ts";
import { LIMITS } from "./limits.ts";
import { fail, ok, type Result } from "./result.ts";

export const isForLater = ({ deliverAt }: EventDraft, now: number): boolean =>
  deliverAt !== undefined && deliverAt > now;

/** What is due already is good: it is appended at once. Fails with `event_invalid` and each that is too far ahead. */
export function checkDeliverAt(drafts: readonly EventDraft[], now: number): Result<null> {
  const limit = LIMITS.DELIVER_AT_MS_MAX;
  const isTooFar = ({ deliverAt = now }: EventDraft): boolean => deliverAt - now > limit;
  const errors = drafts
    .filter(isTooFar)
    .map(({ root = "" }): FieldError => ({ pointer: `${root}/deliverAt`, detail: TOO_FAR }));
  return errors.length === 0 ? ok(null) : fail("event_invalid", TOO_FAR, { limit, errors });
}

const TOO_FAR = "An event waits for a year at most.";
