/** What the hub says to Pusher's clients. `data` is a string that holds JSON, save in errors, which have an object. */
import type { Failure } from "../../core/errors.ts";
import { ERRORS } from "../../core/errors.ts";
import { LIMITS } from "../../core/limits.ts";
import type { Member, MemberChange } from "../../core/member.ts";
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

/** Members' data are JSON text already, so the frame's data are put together as text. */
const framed = (event: string, dataText: string, channel: string): string =>
  JSON.stringify({ event, channel, data: dataText });

/** Everybody who is there, the subscriber too. */
export function formatSubscribedWithMembers(channel: string, members: readonly Member[]): string {
  const ids = members.map(({ id }) => JSON.stringify(id));
  const hash = members.map(({ data }, index) => `${ids[index]}:${data ?? "null"}`);
  const presence = `{"ids":[${ids.join(",")}],"hash":{${hash.join(",")}},"count":${members.length}}`;
  return framed("pusher_internal:subscription_succeeded", `{"presence":${presence}}`, channel);
}

/** That a member shows something else of itself has no word. */
export function formatMemberChange(channel: string, { kind, member }: MemberChange): string | null {
  const id = JSON.stringify(member.id);
  switch (kind) {
    case "added":
      return framed("pusher_internal:member_added", `{"user_id":${id},"user_info":${member.data ?? "null"}}`, channel);
    case "removed":
      return framed("pusher_internal:member_removed", `{"user_id":${id}}`, channel);
    case "updated":
      return null;
  }
}

/** Of no channel: who of a connection's watchlist has come online and who has gone. */
export function formatWatchlistEvents(online: readonly string[], offline: readonly string[]): string {
  const lists = [
    { name: "online", user_ids: online },
    { name: "offline", user_ids: offline },
  ];
  return frame("pusher_internal:watchlist_events", { events: lists.filter(({ user_ids: users }) => users.length > 0) });
}

/** The sign-in stands; who is beyond the limit is not watched. */
export function formatWatchlistTooLong(actual: number): string {
  const limit = LIMITS.PUSHER_WATCHLIST_USERS_MAX;
  return formatError(
    { code: "frame_invalid", detail: `Of the watchlist's ${actual} users the first ${limit} are watched.` },
    4302,
  );
}

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
