import type { Failure } from "./errors.ts";

export type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly failure: Failure };

export const ok = <T>(value: T): Result<T> => ({ ok: true, value });

/** `more` carries what helps to mend the request: a limit and what was measured, or a list of pointers. */
export const fail = (
  code: Failure["code"],
  detail?: string,
  more: Omit<Failure, "code" | "detail"> = {},
): Result<never> => ({ ok: false, failure: detail === undefined ? { code, ...more } : { code, detail, ...more } });
