/** What the hub says on a WebSocket of subprotocol `tidings.v1`. Each function gives one message as JSON text. */
import type { Ref } from "../../core/client-message.ts";
import type { Failure } from "../../core/errors.ts";
import type { Member, MemberChange } from "../../core/member.ts";
import { elements, isListText, members } from "../../core/json-text.ts";
import { problemOf, type Problem } from "./problem.ts";

export interface GapNotice {
  readonly topic: string;
  readonly partition: number;
  readonly requested: number;
  readonly firstHeld: number;
  readonly reason: "trimmed" | "epoch" | "ahead";
}

/** When a credential ends. Clients' clocks may be wrong, so they are told how long it is, too. */
export interface CredentialEnd {
  /** RFC 3339. */
  readonly expiresAt: string;
  /** From when it is said. */
  readonly expiresInSeconds: number;
}

export interface Welcome {
  readonly connection: string;
  /** Null: the socket may stay as long as the client likes. */
  readonly end: CredentialEnd | null;
  /** How many events may be sent without an `ack`; null: the hub asks for none. */
  readonly ackWindow: number | null;
}

export const formatWelcome = ({ connection, end, ackWindow }: Welcome): string =>
  JSON.stringify({ op: "welcome", connection, ...end, ...(ackWindow !== null && { ackWindow }) });

/** `shown`: who is present, for a client that sees the members; null: it does not. */
export function formatSubscribed(
  ref: Ref,
  topic: string,
  cursor: string,
  shown: { readonly members: readonly Member[]; readonly version: number } | null,
): string {
  const text = JSON.stringify({ op: "subscribed", ...withRef(ref), topic, cursor });
  if (shown === null) return text;
  return `${text.slice(0, -1)},"members":[${shown.members.map(formatMember).join(",")}],"version":${shown.version}}`;
}

export const formatMemberChange = (topic: string, { kind, member, version }: MemberChange): string =>
  `{"op":"member_${kind}","topic":${JSON.stringify(topic)},"member":${formatMember(member)},"version":${version}}`;

/** The member's data is JSON text, and goes as it came. */
const formatMember = ({ id, data }: Member): string => `{"id":${JSON.stringify(id)},"data":${data ?? "null"}}`;

export const formatPresenceUpdated = (ref: Ref, topic: string, version: number): string =>
  JSON.stringify({ op: "presence", ...withRef(ref), topic, version });

/** `line` is an event as the log keeps it; it stands last, so that a reader can cut it out again. */
export const formatEvent = (topic: string, cursor: string, line: string): string =>
  `{"op":"event","topic":"${topic}","cursor":"${cursor}","event":${line}}`;

export const formatCaughtUp = (topic: string, cursor: string): string =>
  JSON.stringify({ op: "caught_up", topic, cursor });

export const formatGap = ({ topic, partition, requested, firstHeld, reason }: GapNotice): string =>
  JSON.stringify({ op: "gap", topic, partition, requested, firstHeld, reason });

export const formatUnsubscribed = (ref: Ref, topic: string): string =>
  JSON.stringify({ op: "unsubscribed", ...withRef(ref), topic });

/** `receipt` is JSON text. */
export const formatPublished = (ref: Ref, receipt: string): string =>
  `{"op":"published"${ref === null ? "" : `,"ref":${JSON.stringify(ref)}`},"receipt":${receipt}}`;

/** `line` is an event without a position; `user`: who sent it, where the channel tells that. */
export const formatClientEvent = (topic: string, line: string, user: string | null): string =>
  `{"op":"client_event","topic":"${topic}"${user === null ? "" : `,"user":${JSON.stringify(user)}`},"event":${line}}`;

/** What HTTP says in `Retry-After` stands beside the problem. */
export const formatError = (ref: Ref, failure: Failure): string => {
  const { retryAfterSeconds } = failure;
  const hint = retryAfterSeconds === undefined ? {} : { retryAfterSeconds };
  return JSON.stringify({ op: "error", ...withRef(ref), problem: problemOf(failure), ...hint });
};

/** `end` as in `welcome`. */
export const formatRefreshed = (ref: Ref, end: CredentialEnd | null): string =>
  JSON.stringify({ op: "refreshed", ...withRef(ref), ...end });

/** `line`: `{ "type", "data"? }` as JSON text. */
export const formatUserEvent = (line: string): string => `{"op":"user_event","event":${line}}`;

export const PONG_FRAME = '{"op":"pong"}';

/** One message stands alone in its frame, several in a list. There must be at least one. */
export const joinFrames = (messages: readonly string[]): string =>
  messages.length === 1 ? messages[0]! : `[${messages.join(",")}]`;

const withRef = (ref: Ref): { ref?: string | number } => (ref === null ? {} : { ref });

export type HubMessage =
  | ({ readonly op: "welcome"; readonly connection: string; readonly ackWindow?: number } & Partial<CredentialEnd>)
  | { readonly op: "subscribed"; readonly ref?: string | number; readonly topic: string; readonly cursor: string }
  /** `event` is the line as the log keeps it. */
  | { readonly op: "event"; readonly topic: string; readonly cursor: string; readonly event: string }
  /** `event` is a line without a position. */
  | { readonly op: "client_event"; readonly topic: string; readonly user?: string; readonly event: string }
  | { readonly op: "caught_up"; readonly topic: string; readonly cursor: string }
  | ({ readonly op: "gap" } & GapNotice)
  | { readonly op: "unsubscribed"; readonly ref?: string | number; readonly topic: string }
  /** `receipt` is JSON text. */
  | { readonly op: "published"; readonly ref?: string | number; readonly receipt: string }
  | {
      readonly op: "error";
      readonly ref?: string | number;
      readonly problem: Problem;
      readonly retryAfterSeconds?: number;
    }
  | ({ readonly op: "refreshed"; readonly ref?: string | number } & Partial<CredentialEnd>)
  /** `event` is the line. */
  | { readonly op: "user_event"; readonly event: string }
  | { readonly op: "pong" };

/** The messages of a frame that this file formatted; events and receipts stay text. */
export const parseHubFrame = (frame: string): HubMessage[] =>
  (isListText(frame) ? elements(frame) : [frame]).map(readMessage);

const EVENT_STARTS = ['{"op":"event",', '{"op":"client_event",', '{"op":"user_event",'];

function readMessage(text: string): HubMessage {
  const found = members(text).map(({ name, raw }) => [name, isKeptAsText(text, name) ? raw : JSON.parse(raw)] as const);
  return Object.fromEntries(found) as unknown as HubMessage;
}

const isKeptAsText = (text: string, name: string): boolean =>
  name === "receipt" || (name === "event" && EVENT_STARTS.some((start) => text.startsWith(start)));
