/**
 * How a protocol speaks. Hubs of all protocols share everything but the words: every text that a hub says or reads goes
 * through its dialect, which stands in its name.
 */
import type { ClientMessage, Ref } from "../../core/client-message.ts";
import type { Failure } from "../../core/errors.ts";
import type { Member, MemberChange } from "../../core/member.ts";
import type { Result } from "../../core/result.ts";
import type { CredentialEnd, GapNotice, Welcome } from "../../wire/native/hub-frames.ts";

/** A message as text; null: the protocol has no word for it, and nothing is said. */
export type Said = string | null;

/** The members of a presence channel, as a client is shown them at first. */
export interface MembersShown {
  readonly version: number;
  readonly members: readonly Member[];
}

export interface Dialect {
  /** The exact text of a client's ping, and its answer, which the runtime gives without waking the hub. */
  readonly ping: string;
  readonly pong: string;
  /** Asks whether anybody is still there: whatever the client says then is the answer. */
  readonly probe: string;
  /** Whether readers acknowledge what they were sent; else the answer to a probe does, for all before it. */
  readonly acknowledges: boolean;
  /** So many messages may stand in one frame. */
  readonly frameMessagesMax: number;
  mintConnectionId(): string;
  /** Fails when the frame cannot be read at all; a message that is wrong is in the list as `refused`. */
  parse(frame: string): Result<ClientMessage[]>;
  /** Several messages as one frame; at least one, at most `frameMessagesMax`. */
  join(messages: readonly string[]): string;
  welcome(welcome: Welcome): Said;
  /** `shown` null: the client does not see the members. */
  subscribed(ref: Ref, topic: string, cursor: string, shown: MembersShown | null): Said;
  memberChange(topic: string, change: MemberChange): Said;
  /** Of a watchlist; at least one of the lists has somebody. */
  whoIsOnline(online: readonly string[], offline: readonly string[]): Said;
  /** The member shows what it asked to show, from that version on. */
  presenceUpdated(ref: Ref, topic: string, version: number): Said;
  /** `line` is an event as the log keeps it. */
  event(topic: string, cursor: string, line: string): string;
  /** `line` is an event without a position; `user`: who sent it, on presence channels. */
  clientEvent(topic: string, line: string, user: string | null): Said;
  /** There is nothing that a cache channel could send first. */
  cacheMiss(topic: string): Said;
  caughtUp(topic: string, cursor: string): Said;
  gap(notice: GapNotice): Said;
  unsubscribed(ref: Ref, topic: string): Said;
  /** `receipt` is JSON text. */
  published(ref: Ref, receipt: string): Said;
  refreshed(ref: Ref, end: CredentialEnd | null): Said;
  /** What an app sends to a user, whatever topics it follows; `line` as `sendToUser` gets it. */
  userEvent(user: string, line: string): Said;
  /** `message`: what is refused thereby; null: nothing that the client asked for. */
  error(failure: Failure, message: ClientMessage | null): Said;
  /** Ends the socket with the failure. */
  closeCode(failure: Failure): number;
}
