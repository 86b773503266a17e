/** What the hub says to Pusher's clients. `data` is a string that holds JSON, save in errors, which have an object. */
import type { Failure } from "../../core/errors.ts";
import { ERRORS } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import { pusherEventOf } from "./event-data.ts";
import { codeOf, isUnauthorized, messageOf } from "./failures.ts";

export const PONG_FRAME = '{"event":"pusher:pong","data":"{}"}';

/** The hub's own ping: its answer tells that all that was sent before it has arrived. */
export const PROBE_FRAME = '{"event":"pusher:ping","data":"{}"}';

const frame = (event: string, data: unknown, channel?: string): string =>
  JSON.stringify({ event, ...(channel !== undefined && { channel }), data: JSON.stringify(data) });

export const formatEstablished = (socketId: string): string =>
  frame("pusher:connection_established", {
    socket_id: socketId,
    activity_timeout: LIMITS.PUSHER_ACTIVITY_MS / 1_000,
  });

/** `line` is an event as the log keeps it. */
export function formatEvent(channel: string, line: string): string {
  const { name, text } = pusherEventOf(line);
  return JSON.stringify({ event: name, channel, data: text });
}

/** `user`: who sent it, on presence channels. */
export function formatClientEvent(channel: string, line: string, user: string | null): string {
  const { name, text } = pusherEventOf(line);
  return JSON.stringify({ event: name, channel, data: text, ...(user !== null && { user_id: user }) });
}

export const formatCacheMiss = (channel: string): string => JSON.stringify({ event: "pusher:cache_miss", channel });

export const formatSubscribed = (channel: string): string =>
  frame("pusher_internal:subscription_succeeded", {}, channel);

/** Not of Pusher's protocol: its clients hand it to whoever binds to that name, and leave it alone otherwise. */
export const formatGap = (channel: string, notice: object): string => frame("tidings:gap", notice, channel);

export const formatSubscriptionError = (channel: string, failure: Failure): string => {
  const type = isUnauthorized(failure) ? "AuthError" : "SubscriptionError";
  const { status } = ERRORS[failure.code];
  return frame("pusher:subscription_error", { type, error: messageOf(failure), status }, channel);
};

/** `code` null: nothing that Pusher has a number for. */
export const formatError = (failure: Failure, code: number | null = codeOf(failure)): string =>
  JSON.stringify({ event: "pusher:error", data: { code, message: messageOf(failure) } });

/** `userData` is the text that was signed. */
export const formatSignedIn = (userData: string): string => frame("pusher:signin_success", { user_data: userData });
