/** What a subscribe asks of presence, and whether it may. */
import type { ClientMessage } from "../../core/client-message.ts";
import { minify } from "../../core/json-text.ts";
import { isPresenceChannel, joinMemberData, refuseMemberData, type Member } from "../../core/member.ts";
import { allows, type Principal } from "../../core/principal.ts";
import { fail, ok, type Result } from "../../core/result.ts";

/** `member` null: it only looks on. */
export type PresenceAsk = { readonly kind: "none" } | { readonly kind: "open"; readonly member: Member | null };

type SubscribeMessage = Extract<ClientMessage, { op: "subscribe" }>;

/**
 * Who may see the members does, unless the client wants none of it; only a user enters. Failures:
 * `presence_not_offered`, `scope_missing`, `presence_user_missing`, `presence_invalid`.
 */
export function judgePresence(principal: Principal, message: SubscribeMessage): Result<PresenceAsk> {
  const { topic, presence, sees, member } = message;
  if (!isPresenceChannel(topic)) return presence === null ? ok({ kind: "none" }) : fail("presence_not_offered");
  const may = allows(principal, "presence", topic);
  if (member !== undefined) return may ? enterAs(member) : fail("scope_missing");
  if (presence === null) return ok(may && sees !== false ? { kind: "open", member: null } : { kind: "none" });
  if (!may) return fail("scope_missing");
  const user = principal.kind === "token" ? principal.user : null;
  if (user === null) return fail("presence_user_missing");
  return enterAs({ id: user.id, data: dataOf(principal, presence) });
}

function enterAs(member: Member): Result<PresenceAsk> {
  const refusal = refuseMemberData(member.data);
  return refusal === null ? ok({ kind: "open", member }) : { ok: false, failure: refusal };
}

/** What the member shows when it says `own`. */
export function dataOf(principal: Principal, own: string): string | null {
  const vouched = principal.kind === "token" ? (principal.user?.data ?? null) : null;
  return joinMemberData(vouched, minify(own));
}
