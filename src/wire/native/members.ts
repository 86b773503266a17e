/** The members of a channel as the API shows them. What they show of themselves is JSON text, and goes as it came. */
import type { MemberReport } from "../../core/roster.ts";

export const formatMemberReport = ({ id, data, connections }: MemberReport): string =>
  `{"id":${JSON.stringify(id)},"data":${data ?? "null"},"connections":${connections}}`;

export interface MembersPage {
  readonly items: readonly MemberReport[];
  readonly count: number;
  readonly version: number;
}

/** `limit`: what was asked for. A page that is not full is the last. */
export function formatMembersPage({ items, count, version }: MembersPage, limit: number): string {
  const cursor = items.length < limit ? null : items.at(-1)!.id;
  const rest = JSON.stringify({ count, version, cursor }).slice(1);
  return `{"items":[${items.map(formatMemberReport).join(",")}],${rest}`;
}
