/** Server-sent events (HTML, §9.2): what an `EventSource` reads. The id of a block is the cursor that resumes it. */

/** `data` is an event as the log keeps it: one line, so one `data:` field. */
export const formatSseEvent = (cursor: string, line: string): string =>
  `id: ${cursor}\nevent: event\ndata: ${line}\n\n`;

export const formatSseCaughtUp = (cursor: string): string =>
  `id: ${cursor}\nevent: caught_up\ndata: {"cursor":"${cursor}"}\n\n`;

export interface SseGap {
  readonly partition: number;
  readonly requested: number;
  readonly firstHeld: number;
  readonly reason: "trimmed" | "epoch" | "ahead";
}

/** Without an id: a reader that drops now asks again from where it was, and is told again. */
export const formatSseGap = ({ partition, requested, firstHeld, reason }: SseGap): string =>
  `event: gap\ndata: ${JSON.stringify({ partition, requested, firstHeld, reason })}\n\n`;

/** Sent to the user; it stands in no topic, so it moves no cursor. `event` is JSON on one line. */
export const formatSseUserEvent = (event: string): string => `event: user_event\ndata: ${event}\n\n`;

/** What ends a stream that cannot go on; `problem` is RFC 9457 JSON. Not `error`, which EventSource uses itself. */
export const formatSseProblem = (problem: string): string => `event: problem\ndata: ${problem}\n\n`;

/** How long the reader waits before it connects again. */
export const formatSseRetry = (delayMs: number): string => `retry: ${delayMs}\n\n`;

/** Keeps intermediaries from closing a quiet stream; readers ignore it. */
export const SSE_HEARTBEAT = ": heartbeat\n\n";
