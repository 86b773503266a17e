/** RFC 9457 problem details, the same in HTTP bodies and in error frames. */
import { ERRORS, type ErrorCode, type Failure, type FieldError } from "../../core/errors.ts";

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly code: ErrorCode;
  /** May the very same request be sent again? */
  readonly retryable: boolean;
  readonly effect: "none" | "unknown";
  readonly limit?: number;
  readonly actual?: number;
  readonly errors?: readonly FieldError[];
}

export function problemOf(failure: Failure): Problem {
  const { status, says, retryable, effect } = ERRORS[failure.code];
  const { code, detail, limit, actual, errors } = failure;
  return {
    type: `https://tidings.dev/problems/${code}`,
    title: says,
    status,
    ...(detail !== undefined && { detail }),
    code,
    retryable,
    effect,
    ...(limit !== undefined && { limit }),
    ...(actual !== undefined && { actual }),
    ...(errors !== undefined && errors.length > 0 && { errors }),
  };
}
