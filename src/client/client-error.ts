/** Everything that the client refuses or reports: one class, told apart by `code`. */
import type { ErrorCode } from "../core/errors.ts";
import type { Problem } from "../wire/native/problem.ts";
import type { SchemaIssue } from "./standard-schema.ts";

/** What goes wrong on this side of the wire; the hub's own codes stand in docs/errors.md. */
const CLIENT_ERRORS = {
  answer_invalid: { retryable: true, says: "The answer is not one of a hub." },
  connection_lost: { retryable: true, says: "The connection to the hub was lost." },
  data_invalid: { retryable: false, says: "The data does not fit the event's definition." },
  hub_closed: { retryable: false, says: "The client was closed." },
  network_failed: { retryable: true, says: "The hub could not be reached." },
  not_present: { retryable: false, says: "Enter the channel before its member is changed." },
  outbox_full: { retryable: true, says: "As many events wait for the hub as may." },
  token_unavailable: { retryable: true, says: "There was no token to be had." },
  topic_params_invalid: { retryable: false, says: "A parameter of a topic is a text that is not empty." },
  unsubscribed: { retryable: true, says: "The hub has ended the subscription." },
} as const;

export type ClientErrorCode = keyof typeof CLIENT_ERRORS;

interface Particulars {
  readonly detail?: string;
  /** Repeating may help? As the table says, unless told otherwise. */
  readonly retryable?: boolean;
  readonly problem?: Problem;
  readonly issues?: readonly SchemaIssue[];
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

export class TidingsError extends Error {
  override readonly name = "TidingsError";
  readonly code: ErrorCode | ClientErrorCode;
  /** May the very same be tried again? The client does so itself wherever nobody waits for an answer. */
  readonly retryable: boolean;
  /** Of a refusal by the hub: its problem details (RFC 9457). */
  readonly problem: Problem | undefined;
  /** Of `data_invalid`: what the schema says. */
  readonly issues: readonly SchemaIssue[];
  /** How long the hub asks to wait before the next try. */
  readonly retryAfterMs: number;

  constructor(code: ErrorCode | ClientErrorCode, more: Particulars = {}) {
    const known = CLIENT_ERRORS[code as ClientErrorCode] as { retryable: boolean; says: string } | undefined;
    super(more.detail ?? known?.says ?? code, { cause: more.cause });
    this.code = code;
    this.retryable = more.retryable ?? known?.retryable ?? false;
    this.problem = more.problem;
    this.issues = more.issues ?? [];
    this.retryAfterMs = more.retryAfterMs ?? 0;
  }
}

/** A refusal as the hub wrote it. */
export const refusalOf = (problem: Problem, retryAfterSeconds = 0): TidingsError =>
  new TidingsError(problem.code, {
    detail: problem.detail ?? problem.title,
    retryable: problem.retryable,
    problem,
    retryAfterMs: retryAfterSeconds * 1_000,
  });

/** Whatever was thrown, as ours. */
export const asError = (thrown: unknown, code: ClientErrorCode): TidingsError =>
  thrown instanceof TidingsError ? thrown : new TidingsError(code, { detail: String(thrown), cause: thrown });
