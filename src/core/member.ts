/** A member of a presence channel: a user, and what it shows of itself. */
import { channelKindOf } from "./channel-kind.ts";
import type { Failure } from "./errors.ts";
import { isObjectText, members } from "./json-text.ts";
import { LIMITS } from "./limits.ts";
import { utf8Length } from "./utf8.ts";

export interface Member {
  /** The user's id. */
  readonly id: string;
  /** JSON text; null: it shows nothing. */
  readonly data: string | null;
}

/** One step of a channel's members. The version is the channel's, and grows with each. */
export interface MemberChange {
  readonly kind: "added" | "updated" | "removed";
  /** As it is now; of one that was removed, as it was last. */
  readonly member: Member;
  readonly version: number;
}

/** Only those have members. */
export const isPresenceChannel = (topic: string): boolean => channelKindOf(topic).access === "presence";

/**
 * What a member shows: the word of who signed its token stands, and what the browser says itself comes beside it. Both
 * are JSON text; what is no object cannot be joined, so then the token's counts alone.
 */
export function joinMemberData(vouched: string | null, own: string | null): string | null {
  if (vouched === null || vouched === "null") return own === "null" ? null : own;
  if (own === null || !isObjectText(vouched) || !isObjectText(own)) return vouched;
  const signed = members(vouched);
  const names = new Set(signed.map(({ name }) => name));
  const beside = members(own).filter(({ name }) => !names.has(name));
  return `{${[...signed, ...beside].map(({ name, raw }) => `${JSON.stringify(name)}:${raw}`).join(",")}}`;
}

/** Null: a room may take it. */
export function refuseMemberData(data: string | null): Failure | null {
  const bytes = data === null ? 0 : utf8Length(data);
  if (bytes <= LIMITS.USER_DATA_BYTES_MAX) return null;
  const detail = "What a member shows is too long, in bytes.";
  return { code: "presence_invalid", detail, limit: LIMITS.USER_DATA_BYTES_MAX, actual: bytes };
}

export const memberBytes = ({ id, data }: Member): number => utf8Length(id) + (data === null ? 0 : utf8Length(data));
