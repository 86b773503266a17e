/**
 * What kind of channel a topic is when it is seen live: its name says so, as Pusher's clients expect it. A scope is an
 * explicit grant for every kind alike, and its pattern covers names as they are written: `subscribe:**` covers private
 * and presence channels too. What nobody granted is denied, public channels included.
 */

export interface ChannelKind {
  /** `public`: a Pusher client needs the app's key only; the others need a signature for the connection. */
  readonly access: "public" | "private" | "presence";
  /** Its followers hold the key to its payloads, and the hub does not. */
  readonly encrypted: boolean;
  /** Who begins to follow is sent the last event first. */
  readonly cached: boolean;
}

/** The longer prefix first. */
const KINDS: readonly (readonly [prefix: string, kind: ChannelKind])[] = [
  ["private-encrypted-cache-", { access: "private", encrypted: true, cached: true }],
  ["private-encrypted-", { access: "private", encrypted: true, cached: false }],
  ["private-cache-", { access: "private", encrypted: false, cached: true }],
  ["private-", { access: "private", encrypted: false, cached: false }],
  ["presence-cache-", { access: "presence", encrypted: false, cached: true }],
  ["presence-", { access: "presence", encrypted: false, cached: false }],
  ["cache-", { access: "public", encrypted: false, cached: true }],
];

const PUBLIC: ChannelKind = { access: "public", encrypted: false, cached: false };

export const channelKindOf = (topic: string): ChannelKind =>
  KINDS.find(([prefix]) => topic.startsWith(prefix))?.[1] ?? PUBLIC;
